import type { Json } from '../json.ts'
import { tableValues } from './bounds.ts'
import type { Report } from './compile.ts'
import type { WrittenMapping } from './format.ts'
import type { Table } from './mapping.ts'

export function compileTables(written: WrittenMapping, report: Report): ReadonlyMap<string, Table> {
  const tables = new Map<string, Table>()
  for (const [name, { values: entries, unknown }] of Object.entries(written.tables ?? {})) {
    const values = new Map<string, Json>(Object.entries(entries))
    if (values.size === 0) report(['tables', name, 'values'], 'is empty')
    if (values.size > tableValues) {
      report(['tables', name, 'values'], `has ${values.size} values, at most ${tableValues} are read`)
    }
    tables.set(name, { name, values, unknown, inverse: inverseOf(values) })
  }
  return tables
}

function inverseOf(values: ReadonlyMap<string, Json>): ReadonlyMap<Json, string> | undefined {
  const inverse = new Map<Json, string>([...values].map(([key, value]) => [value, key]))
  return inverse.size === values.size ? inverse : undefined
}
