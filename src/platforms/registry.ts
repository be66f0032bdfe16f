/** Every platform that the bridge knows, by its word in configuration. A new platform is one line here. */
import { dspace } from './dspace/dspace.ts'
import { ethosce } from './ethosce/ethosce.ts'
import { figshare } from './figshare/figshare.ts'
import { openspecimen } from './openspecimen/openspecimen.ts'
import type { Platform } from './platform.ts'
import { selfcommunity } from './selfcommunity/selfcommunity.ts'

/** Settings are parsed by the platform's own schema before they reach `connect`, so their type ends here. */
export const platforms: ReadonlyMap<string, Platform<unknown>> = new Map([
  [figshare.facts.platform, anySettings(figshare)],
  [ethosce.facts.platform, anySettings(ethosce)],
  [openspecimen.facts.platform, anySettings(openspecimen)],
  [selfcommunity.facts.platform, anySettings(selfcommunity)],
  [dspace.facts.platform, anySettings(dspace)],
])

function anySettings<Settings>(platform: Platform<Settings>): Platform<unknown> {
  return {
    facts: platform.facts,
    settings: platform.settings,
    pathWords: platform.pathWords,
    connect(settings, environment) {
      const chosen = platform.settings.parse(settings)
      for (const [name, read] of environment.secrets ?? []) Object.defineProperty(chosen, name, { get: read })
      return platform.connect(chosen, environment)
    },
  }
}
