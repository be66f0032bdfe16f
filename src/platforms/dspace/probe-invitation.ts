/** What the mode `invitation` needs of a DSpace: without it no invitation is ever mailed. */
import { z } from 'zod'
import { Denied, Refused } from '../../errors.ts'
import { parseAnswer } from '../answer.ts'
import type { Client, PlatformRequest } from '../client.ts'
import type { Call } from '../platform.ts'
import type { ProbeQuestion } from '../probing.ts'
import { saysNone } from './groups.ts'
import { toError } from './refusals.ts'
import type { Session } from './session.ts'

const sites = z.object({
  _embedded: z.object({
    sites: z.array(z.object({ _links: z.object({ self: z.object({ href: z.string().min(1) }) }) })).min(1),
  }),
})
const found = z.object({ page: z.object({ totalElements: z.int().nonnegative() }) })
const property = z.object({ values: z.array(z.string()) })

export function invitationQuestions(client: Pick<Client, 'send'>, session: Session): readonly ProbeQuestion[] {
  const get = async <T>(shape: z.ZodType<T>, asked: Call, path: string[], query: PlatformRequest['query'] = []) => {
    const request: PlatformRequest = { method: 'GET', path: ['api', ...path], query }
    const answer = await session.send(asked, request)
    if (answer.status !== 200) throw toError(request, answer)
    return parseAnswer(shape, request, answer)
  }
  return [
    {
      name: 'registration',
      remedy:
        'set user.registration = true in local.cfg, and let one method of authentication set passwords (PasswordAuthentication): invitations are registrations',
      async ask(asked) {
        const { _embedded } = await get(sites, asked, ['core', 'sites'])
        const uri = _embedded.sites[0]?._links.self.href ?? ''
        const { page } = await get(
          found,
          asked,
          ['authz', 'authorizations', 'search', 'object'],
          [
            ['uri', uri],
            ['feature', 'epersonRegistration'],
          ],
        )
        if (page.totalElements === 0) throw new Denied('the site does not offer epersonRegistration')
        return 'is open'
      },
    },
    {
      name: 'registration without a CAPTCHA',
      remedy: 'set registration.verification.enabled = false in local.cfg: nobody solves a CAPTCHA for the bridge',
      async ask(asked) {
        // Told to anybody, as the user interface needs it.
        const request: PlatformRequest = {
          method: 'GET',
          path: ['api', 'config', 'properties', 'registration.verification.enabled'],
        }
        const answer = await client.send(asked, request)
        if (saysNone(answer)) return 'not told: as far as is known none is wanted'
        if (answer.status !== 200) throw toError(request, answer)
        const isWanted = parseAnswer(property, request, answer).values.some((value) => value.toLowerCase() === 'true')
        if (isWanted) throw new Refused('a CAPTCHA is wanted', 'registration.verification.enabled is true')
        return 'none is wanted'
      },
    },
  ]
}
