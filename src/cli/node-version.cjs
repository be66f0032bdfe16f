// Plain CommonJS that every Node understands: it has to run on the very versions that it turns away.
'use strict'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 15)) {
  console.error(
    `scim-bridge needs Node 24.15 or later, and this is ${process.version} (${process.execPath}).\n` +
      'On Linux and Windows `npm ci` brings the right one along: run it again without `--omit=optional`, and start with `npm start`.\n' +
      'On macOS install Node 24 (for example with `brew install node@24`).',
  )
  process.exit(1)
}
