import { FileProblems } from '../yaml/problems.ts'

/** A mapping file that cannot be used. */
export class MappingProblems extends FileProblems {}
