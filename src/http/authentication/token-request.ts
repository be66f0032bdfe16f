import type { Request } from 'express'
import { tokenRequestBytes } from '../../limits.ts'
import type { ClientProof } from './oauth-door.ts'
import { OauthProblem } from './oauth-problem.ts'
import { presentedBy } from './presented.ts'

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

export interface TokenRequest {
  readonly grantType: string
  readonly scope: string | undefined
  /** Undefined: the client did not say who it is. */
  readonly clientId: string | undefined
  readonly proof: ClientProof | undefined
}

/** Throws `OauthProblem` (`invalid_request`) when it is none: no form, a parameter twice, two proofs at once. */
export async function readTokenRequest(request: Request): Promise<TokenRequest> {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== 'application/x-www-form-urlencoded') {
    throw invalid('The request has to be a form (application/x-www-form-urlencoded).')
  }
  const form = parseForm(await readText(request))
  const grantType = form.get('grant_type')
  if (grantType === undefined) throw invalid('The parameter grant_type is missing.')
  return { grantType, scope: form.get('scope'), ...proofOf(request, form) }
}

type Proof = Pick<TokenRequest, 'clientId' | 'proof'>

function proofOf(request: Request, form: ReadonlyMap<string, string>): Proof {
  const id = form.get('client_id')
  const secret = form.get('client_secret')
  const assertion = form.get('client_assertion')
  const header = presentedBy(request, false)
  const ways = [secret, assertion].filter((one) => one !== undefined).length + (header.kind === 'missing' ? 0 : 1)
  // RFC 6749 §2.3: not more than one way in each request.
  if (ways > 1) throw invalid('The client proves itself in one way only: by header, secret or assertion.')
  if (assertion !== undefined) {
    if (form.get('client_assertion_type') !== assertionType) throw invalid('This client_assertion_type is not known.')
    return { clientId: id, proof: { kind: 'assertion', assertion } }
  }
  if (header.kind === 'basic') {
    if (id !== undefined && id !== decoded(header.user) && id !== header.user) {
      throw invalid('The header and client_id name different clients.')
    }
    // RFC 6749 §2.3.1 asks for form encoding inside of Basic; many clients send the secret as it is.
    const secrets = [...new Set([header.password, decoded(header.password)])]
    return { clientId: decoded(header.user), proof: { kind: 'secret', secrets } }
  }
  return { clientId: id, proof: secret === undefined ? undefined : { kind: 'secret', secrets: [secret] } }
}

/** The query is not looked at: it ends in logs (RFC 6749 §2.3.1). */
function parseForm(text: string): ReadonlyMap<string, string> {
  const form = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(text)) {
    if (form.has(name)) throw invalid('A parameter is given twice.')
    // RFC 6749 §3.2: a parameter without a value counts as left out.
    if (value !== '') form.set(name, value)
  }
  return form
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

function readText(request: Request): Promise<string> {
  if (Number(request.headers['content-length'] ?? 0) > tokenRequestBytes) throw tooLarge()
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    let size = 0
    request.on('data', (part: Buffer) => {
      size += part.length
      if (size <= tokenRequestBytes) parts.push(part)
      else reject(tooLarge())
    })
    request.on('end', () => resolve(Buffer.concat(parts).toString('utf8')))
    request.on('error', () => reject(invalid('The body ended early.')))
    request.on('close', () => reject(invalid('The body ended early.')))
  })
}

function tooLarge(): OauthProblem {
  return new OauthProblem(413, 'invalid_request', `The body is larger than ${tokenRequestBytes} bytes.`)
}

function invalid(message: string): OauthProblem {
  return new OauthProblem(400, 'invalid_request', message)
}
