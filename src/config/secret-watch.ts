import type { Log } from '../log.ts'
import type { ConnectionConfig } from './config.ts'

export interface SecretWatch {
  /** Names of connections of which a secret has become another one since the last look. */
  replaced(): readonly string[]
}

/** Platform modules read their secrets when they need them; this one tells who waits because the old one was refused. */
export function createSecretWatch(connections: readonly ConnectionConfig[], log: Log): SecretWatch {
  const secrets = connections.flatMap(({ name, secretFiles }) =>
    [...secretFiles].map(([setting, file]) => ({ connection: name, setting, file, known: file.text() })),
  )
  return {
    replaced() {
      const names = new Set<string>()
      for (const secret of secrets) {
        const present = secret.file.text()
        if (present === secret.known) continue
        secret.known = present
        names.add(secret.connection)
        log.info({ connection: secret.connection, setting: secret.setting }, 'a secret was replaced')
      }
      return [...names]
    },
  }
}
