/**
 * Why a file could not be read, and what to do. Its name is left out: where a name stands for text it may be a secret that was
 * written in the wrong place.
 */
export function unreadable(error: unknown, whenMissing: string): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'error'
  if (code === 'ENOENT' || code === 'ENOTDIR') return `cannot be read: ${whenMissing}`
  if (code === 'EACCES' || code === 'EPERM')
    return "cannot be read: give the bridge's user the right to read it and to enter its folder"
  // What Docker does for a volume whose source is missing.
  if (code === 'EISDIR') return 'cannot be read: it is a folder, as containers get in place of a file that is not there'
  return `cannot be read (${code})`
}
