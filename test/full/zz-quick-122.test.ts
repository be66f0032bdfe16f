import { test } from 'node:test'
import { runHistories } from './history-steps.ts'

test('quick', () => runHistories({ file: 'x', seed: 122, path: undefined, isShrunk: false }, 70, 40))
