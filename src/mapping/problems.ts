/** A place in a mapping file, counted from 1. */
export interface Position {
  readonly file: string
  readonly line: number
  readonly column: number
}

export interface MappingProblem extends Position {
  /** Where in the file's structure, for example `user.attributes.email.transform.1`; empty for the file as a whole. */
  readonly path: string
  /** What is wrong and what to write instead. */
  readonly message: string
}

/** A mapping file that cannot be used. The message has one line `file:line:col: path: message` for every problem, sorted by place. */
export class MappingProblems extends Error {
  readonly problems: readonly MappingProblem[]
  constructor(problems: readonly MappingProblem[]) {
    const unique = new Map(problems.map((problem) => [problemLine(problem), problem]))
    const sorted = [...unique.values()].sort(byPlace)
    super(sorted.map(problemLine).join('\n'))
    this.name = 'MappingProblems'
    this.problems = sorted
  }
}

export function problemLine({ file, line, column, path, message }: MappingProblem): string {
  return `${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`
}

function byPlace(a: MappingProblem, b: MappingProblem): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1
  return a.line - b.line || a.column - b.column
}
