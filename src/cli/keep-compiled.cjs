// Loaded before everything else: what was compiled once is kept, and the next start takes half the time. In a folder of the
// installation: in the system's folder for temporary files somebody else could lay code for us. Where nothing can be written,
// nothing is kept.
'use strict'

const { enableCompileCache } = require('node:module')
const path = require('node:path')

if (process.env.NODE_COMPILE_CACHE === undefined && enableCompileCache !== undefined) {
  enableCompileCache(path.join(path.dirname(path.dirname(__dirname)), 'node_modules', '.cache', 'scim-bridge'))
}
