/** Whether alarms would get to their mail server. No message is sent. */
import { mailSettings } from '../alarm-ways.ts'
import type { Config } from '../config/config.ts'
import { createMail } from '../platforms/mail.ts'
import type { Checked } from './check-findings.ts'

const remedy =
  'look at alarms.email: host, port, tls, ca, user and password; allowPrivateAddresses where the server is in a private network'

/** Empty where no e-mail is to be sent, or nobody is to be asked. */
export async function checkEmail(config: Config, isOffline: boolean): Promise<readonly Checked[]> {
  const place = { area: 'alarms', name: 'e-mail' }
  try {
    const settings = mailSettings(config)
    if (settings === undefined || isOffline) return []
    const server = `${settings.host}:${settings.port}`
    await createMail(settings).probe()
    const how = settings.tls === 'off' ? 'without TLS' : 'over TLS'
    const who = settings.login === undefined ? '' : ', user and password are good'
    return [{ ...place, result: 'ok', seen: `${server} answers ${how}${who}`, remedy: undefined }]
  } catch (error) {
    return [{ ...place, result: 'failed', seen: error instanceof Error ? error.message : 'failed', remedy }]
  }
}
