import type { NamedByMapping } from '../../facts.ts'
import type { Call, ProbeStep } from '../platform.ts'
import { probeInOrder } from '../probing.ts'
import type { Site } from './site.ts'

const rights =
  'ask EthosCE for the role "web service" with the rights "administer users" and to this resource for the service account (its name begins with restws)'

/**
 * The service account and its rights. Five refusals lock the account, so the first one ends it. Whether the site understands
 * `uid[gt]` is only told: the bridge works with and without.
 */
export async function probe(site: Site, call: Call, named: NamedByMapping): Promise<readonly ProbeStep[]> {
  site.forgive()
  const steps = await probeInOrder(call, [
    {
      name: 'service account',
      remedy:
        'put the name and password of the service account into settings.user and settings.password; look whether it was locked by wrong ones',
      async ask(asked) {
        await site.probe(asked, 'user', [
          ['limit', '1'],
          ['full', '0'],
        ])
        return 'may read users'
      },
    },
    {
      name: 'right to find by e-mail',
      remedy: rights,
      async ask(asked) {
        await site.probe(asked, 'user', [['mail', 'probe@invalid.example']])
        return 'administer users'
      },
    },
    {
      name: 'single sign-on rows',
      remedy: `${rights}; without authmap nobody can be tied to single sign-on`,
      async ask(asked) {
        await site.probe(asked, 'authmap', [['limit', '1']])
        return 'may be read'
      },
    },
    {
      name: 'profiles',
      remedy: rights,
      async ask(asked) {
        await site.probe(asked, 'profile2', [['limit', '1']])
        return 'may be read'
      },
    },
    {
      name: 'comparisons',
      isOptional: true,
      remedy: 'nothing: the site is a stock Drupal without them, and is walked over page by page',
      async ask(asked) {
        await site.probe(asked, 'user', [
          ['uid[gt]', '1'],
          ['limit', '1'],
          ['full', '0'],
        ])
        return 'answered'
      },
    },
  ])
  return named.grants.length === 0 ? steps : [...steps, untoldRoles(named)]
}

/** There is no role resource (404), and an unknown number is dropped silently when it is written. */
function untoldRoles({ grants }: NamedByMapping): ProbeStep {
  return {
    name: 'roles of the mapping',
    result: 'skipped',
    seen: `${grants.length} named; EthosCE has no list of roles`,
    remedy:
      'compare them with the machine names of the site (People, Permissions, Roles); a wrong one is told with the first grant',
  }
}
