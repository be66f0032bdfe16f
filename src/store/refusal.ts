/** Why a file of SQLite cannot be opened, and what to do: the same for the bridge and for commands beside it. */
import { StoreRefused, sqliteCode } from './failures.ts'
import { NewerSchema } from './newer-schema.ts'

export function damagedText(file: string): string {
  return `${file} is damaged: keep a copy of it and of ${file}-wal, then restore the last backup`
}

/** `StoreRefused` for what came from SQLite; anything else as it is. */
export function asRefusal(error: unknown, file: string): unknown {
  const code = sqliteCode(error)
  if (code === undefined || error instanceof NewerSchema) return error
  const texts = new Map([
    [1, `${file} holds tables that are not the bridge's: name another file`],
    [5, `${file} is locked by another program: end it, then start again`],
    [8, `${file} is read-only: give the bridge's user the right to write it and its folder`],
    [11, damagedText(file)],
    [13, `${file} cannot be opened: the disk is full`],
    [14, `${file} cannot be opened: give the bridge's user the right to write it and its folder`],
    [26, `${file} is not a SQLite database: name another file, or restore a backup of the store`],
  ])
  const text = texts.get(code & 0xff) ?? `${file} cannot be opened (SQLite ${code})`
  return new StoreRefused(text, { cause: error })
}
