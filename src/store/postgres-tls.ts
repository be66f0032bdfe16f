/** Why PostgreSQL and the bridge do not come to an encrypted connection, and what mends it. */

/** Of Node: OpenSSL's X509_V_ERR_* by name, for a chain that leads to nobody who is trusted. */
const untrusted: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'INVALID_CA',
])
const outOfTime: ReadonlySet<string> = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'])

/** After a colon, with what to do; undefined: it is about something else. */
export function tlsProblem(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  // The driver's words.
  if (error.message === 'The server does not support SSL connections') {
    return 'the server offers no TLS: switch it on there (ssl = on), or write tls: off in store where nobody can listen'
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return "the server's certificate is for another name: write the name that is in it as the host of store.url, or give the server one for this name"
  }
  if (untrusted.has(code)) {
    return "nobody who is trusted has signed the server's certificate: name the file with its authority's certificate as store.tls.ca"
  }
  if (outOfTime.has(code)) return "the server's certificate has expired, or is not valid yet: give the server a new one"
  // PostgreSQL's words: no line of pg_hba.conf fits, and one for encrypted connections might.
  if (code === '28000' && error.message.endsWith(', no encryption')) {
    return 'the server takes encrypted connections only: leave tls: off out of store, or name tls: { ca: … }'
  }
  if (code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') || code.startsWith('ERR_OSSL_')) {
    return 'TLS fails: check the files of store.tls, and what the log of the server says'
  }
  return undefined
}
