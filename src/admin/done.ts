import type { Done } from '../provision/operator-order.ts'

/** The answer of an action that was done. */
export function doneAnswer(connection: string, action: string, { affected, text }: Done): object {
  return { connection, action, affected, text }
}

/** Milliseconds → ISO 8601. */
export function timeOf(at: number | undefined): string | undefined {
  return at === undefined ? undefined : new Date(at).toISOString()
}
