/** Bounds of a mapping file: everything a file can ask for is finite before it is compiled. */

/** The largest honest file holds a table of some thousand departments; its deepest place is an example's `emails[0].value` (8). */
export const fileBounds = { bytes: 256 * 1024, depth: 20 }
export const rules = 200
export const pathsPerRule = 8
export const transformsPerRule = 10
export const branchesPerRule = 20
export const tableValues = 10_000
export const grants = 5_000
export const matchAttributes = 8
export const protectTests = 200
export const examples = 500
export const pathLength = 512
/** Characters of a transform's own text (`prefix`, `replace`): with the bound of a value it bounds every step. */
export const argumentLength = 256
