/** What the store keeps of an alarm that is told in one way: since when it is on, and what of it was told. */
export interface StoredAlarm {
  readonly connection: string
  readonly kind: string
  readonly way: string
  /** Milliseconds since 1970. */
  readonly since: number
  /** Numbers and classes; nothing of a person. */
  readonly detail: Readonly<Record<string, string | number>>
  /** It has ended, and that is still to be told. */
  readonly isOver: boolean
  /** How often it was told; 0: not yet. */
  readonly told: number
  /** Deliveries that failed since the last one that did not. */
  readonly failures: number
  /** When it is told next. */
  readonly dueAt: number
}

export interface Alarming {
  readonly failed: number
  readonly lateDepartures: number
  readonly left: number
}

export interface AlarmReader {
  alarms(connection: string): Promise<readonly StoredAlarm[]>
  /** Operations that were given up; departures that were accepted before then and are not done; people who left since then. */
  alarming(connection: string, before: string, since: number): Promise<Alarming>
}

export interface AlarmWriter {
  putAlarm(alarm: StoredAlarm): Promise<void>
  deleteAlarm(alarm: Pick<StoredAlarm, 'connection' | 'kind' | 'way'>): Promise<void>
}
