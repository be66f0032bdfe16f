export interface Cut<Row> {
  readonly rows: readonly Row[]
  /** Behind which the next page begins; undefined: this is the last one. */
  readonly last: Row | undefined
}

/** A page out of one row more than it has: that one tells whether there are more. */
export function cut<Row>(found: readonly Row[], limit: number): Cut<Row> {
  const rows = found.slice(0, limit)
  return { rows, last: found.length > limit ? rows.at(-1) : undefined }
}
