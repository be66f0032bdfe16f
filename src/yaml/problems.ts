/** A place in a file, counted from 1. */
export interface Position {
  readonly file: string
  readonly line: number
  readonly column: number
}

export interface FileProblem extends Position {
  /** Where in the file's structure, for example `user.attributes.email.transform.1`; empty for the file as a whole. */
  readonly path: string
  /** What is wrong and what to write instead. */
  readonly message: string
}

/** A file that cannot be used. The message has one line `file:line:col: path: message` for every problem, sorted by place. */
export class FileProblems extends Error {
  readonly problems: readonly FileProblem[]
  constructor(problems: readonly FileProblem[]) {
    const unique = new Map(problems.map((problem) => [problemLine(problem), problem]))
    const sorted = [...unique.values()].sort(byPlace)
    super(sorted.map(problemLine).join('\n'))
    this.name = new.target.name
    this.problems = sorted
  }
}

export function problemLine({ file, line, column, path, message }: FileProblem): string {
  return `${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`
}

function byPlace(a: FileProblem, b: FileProblem): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1
  return a.line - b.line || a.column - b.column
}
