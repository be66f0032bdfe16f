/** What the store keeps for the guards of a connection: who left, what is held, and when the platform may be called next. */
export interface GuardWriter {
  /** This user was switched off or deleted now. */
  putDeparture(connection: string, resourceId: string, at: number): Promise<void>
  /** Switched on again: not one who left. */
  deleteDeparture(connection: string, resourceId: string): Promise<void>
  /** Users who left since then; earlier ones are forgotten. */
  countDepartures(connection: string, since: number): Promise<number>
  /** What a guardrail has held goes on, and what an operator holds does not; answers how many. */
  releaseHeld(connection: string, now: number): Promise<number>
  /** The next slot of the connection's pace; answers how long it is until then. */
  reserveSlot(connection: string, slot: NewSlot): Promise<number>
}

/** Whole milliseconds. */
export interface NewSlot {
  readonly intervalMs: number
  /** It is not before so much has passed. */
  readonly delayMs: number
  readonly now: number
  /** The clock was set back so far since the last slot was asked for. */
  readonly setBackMs: number
}
