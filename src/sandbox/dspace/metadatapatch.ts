/** JSON Patch on `/metadata`, `/metadata/<field>` and `/metadata/<field>/<index>`. */
import { badRequest, unprocessable } from './answers.ts'
import { readMetadata, readValue, requireField } from './body.ts'
import type { Operation } from './patch.ts'
import type { Metadata, MetadataValue } from './state.ts'

interface Place {
  readonly field: string
  /** `-` is the end. */
  readonly index: number | '-' | undefined
  /** A part of one value, as in `/metadata/dc.title/0/value`. */
  readonly part: 'value' | 'language' | 'authority' | 'confidence' | undefined
}

/** Changes `metadata` in place. 422 for an unknown field or an index that is not there, 400 for anything unsupported. */
export function patchMetadata(metadata: Metadata, operation: Operation): void {
  if (operation.path === '/metadata') patchAll(metadata, operation)
  else patchField(metadata, operation)
}

function patchField(metadata: Metadata, { op, path, from, value }: Operation): void {
  const { field, index, part } = placeOf(path)
  const values = metadata.get(field) ?? []
  switch (op) {
    case 'add':
      set(metadata, field, inserted(values, index, readValues(value)))
      break
    case 'replace':
      // Without an index the field is cleared and gets one value, also when it was empty.
      if (index === undefined) set(metadata, field, [firstOf(value)])
      else set(metadata, field, values.with(existing(values, index), changed(values, index, part, value)))
      break
    case 'remove':
      set(metadata, field, index === undefined ? [] : values.toSpliced(existing(values, index), 1))
      break
    case 'move':
    case 'copy': {
      const source = placeOf(from ?? '')
      const sources = metadata.get(source.field) ?? []
      const at = existing(sources, source.index)
      if (op === 'move') set(metadata, source.field, sources.toSpliced(at, 1))
      set(metadata, field, inserted(metadata.get(field) ?? [], index, sources.slice(at, at + 1)))
      break
    }
    default:
      throw badRequest(`The operation ${op} on ${path} is not supported`)
  }
}

function patchAll(metadata: Metadata, { op, value }: Operation): void {
  if (op !== 'add' && op !== 'replace' && op !== 'remove') throw badRequest(`The operation ${op} is not supported`)
  const wanted = op === 'remove' ? new Map<string, MetadataValue[]>() : readMetadata(value)
  if (op !== 'add') metadata.clear()
  for (const [field, values] of wanted) set(metadata, field, [...(metadata.get(field) ?? []), ...values])
}

function placeOf(path: string): Place {
  const parts = /^\/metadata\/([^/]+)(?:\/(\d{1,6}|-)(?:\/(value|language|authority|confidence))?)?$/.exec(path)
  const field = parts?.[1]
  if (field === undefined) throw badRequest(`The path ${path} is not supported`)
  requireField(field)
  const index = parts?.[2]
  const part = parts?.[3]
  return {
    field,
    index: index === undefined || index === '-' ? index : Number(index),
    part: part === 'value' || part === 'language' || part === 'authority' || part === 'confidence' ? part : undefined,
  }
}

function existing(values: readonly MetadataValue[], index: number | '-' | undefined): number {
  if (typeof index === 'number' && index < values.length) return index
  throw unprocessable('There is no metadata value at this index')
}

function inserted(
  values: readonly MetadataValue[],
  index: number | '-' | undefined,
  more: readonly MetadataValue[],
): readonly MetadataValue[] {
  if (typeof index !== 'number') return [...values, ...more]
  if (index > values.length) throw unprocessable('There is no metadata value at this index')
  return values.toSpliced(index, 0, ...more)
}

function changed(
  values: readonly MetadataValue[],
  index: number | '-',
  part: Place['part'],
  value: unknown,
): MetadataValue {
  const present = values[existing(values, index)]
  if (part === undefined || present === undefined) return firstOf(value)
  return readValue({ ...present, [part]: value })
}

/** Of a list only the first counts. */
function firstOf(value: unknown): MetadataValue {
  const [first] = readValues(value)
  if (first === undefined) throw unprocessable('A value is required')
  return first
}

function readValues(value: unknown): MetadataValue[] {
  return Array.isArray(value) ? value.map(readValue) : [readValue(value)]
}

function set(metadata: Metadata, field: string, values: readonly MetadataValue[]): void {
  if (values.length === 0) metadata.delete(field)
  else metadata.set(field, values)
}
