import { dirname, resolve } from 'node:path'
import { isJsonObject } from '../json.ts'
import { parseLocated, positionOf, toJson } from '../yaml/located.ts'
import { type FileProblem, FileProblems } from '../yaml/problems.ts'
import { fileBounds, readText } from './load.ts'
import { type Report, resolveReferences } from './references.ts'

/**
 * The mapping files that a configuration names, whatever else is right or missing in it: they are looked at where its secrets are not.
 * Throws `FileProblems`.
 */
export function namedMappings(
  file: string,
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const problems: FileProblem[] = []
  const root = parseLocated(file, readText(file), (problem) => problems.push(problem), fileBounds)
  if (root === undefined) throw new FileProblems(problems)
  const report: Report = (path, message) =>
    void problems.push({ ...positionOf(root, path), path: path.join('.'), message })
  const directory = dirname(resolve(file))
  const options = {
    environment,
    directory,
    allowLiteralSecrets: false,
    report,
    noteFile: () => {},
    fileRead: () => {},
  }
  const written = toJson(root)
  const connections = isJsonObject(written) && isJsonObject(written.connections) ? written.connections : {}
  const files = Object.entries(connections).flatMap(([name, connection]) => {
    if (!isJsonObject(connection) || connection.mapping === undefined) return []
    const named = resolveReferences(connection.mapping, options, ['connections', name, 'mapping'])
    return typeof named === 'string' ? [resolve(directory, named)] : []
  })
  if (problems.length > 0) throw new FileProblems(problems)
  return [...new Set(files)]
}
