/** SelfCommunity's users as accounts. */
import type { Account, Json } from '../../facts.ts'
import { textLength } from '../../limits.ts'
import type { User } from './answers.ts'

/** The community's creator: touching this account can lock everybody out. */
const creatorId = 1
const maxMetadataFields = 200

/** Members of a user that are no profile fields: they have a name of their own, or cannot be written. */
const ownNames: ReadonlySet<string> = new Set(
  [
    'id username real_name avatar avatar_base64 ext_id date_joined cover cover_base64 tags reputation',
    'community_badge reg_approved deleted deleted_at email email_isvalid status role permission password',
    'blocked_at days_blocked expire_at last_seen flags_given flags_received',
  ].flatMap((line) => line.split(' ')),
)

/** The profile field of `metadata.<field>`; `undefined` when that name is no profile field. */
export function metadataField(attribute: string): string | undefined {
  const name = attribute.startsWith('metadata.') ? attribute.slice('metadata.'.length) : ''
  return /^[A-Za-z]\w{0,99}$/.test(name) && !ownNames.has(name) ? name : undefined
}

/** A community's own fields may be numbers or switches, which are written as text and come back as what they are. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return typeof value === 'string' && value !== '' && value.length <= textLength ? value : undefined
}

/** `status` when the row itself does not say it. */
export function toAccount(user: User, status: string | undefined, serviceUserId: number): Account {
  const attributes = new Map<string, Json>()
  const known = [
    ['ext_id', user.ext_id],
    ['username', user.username],
    ['email', user.email],
    ['real_name', user.real_name],
    ['avatar', user.avatar],
    ['status', user.status ?? status],
  ] as const
  for (const [name, value] of known) if (typeof value === 'string' && value !== '') attributes.set(name, value)
  for (const [name, value] of Object.entries(user).slice(0, maxMetadataFields)) {
    const text = textOf(value)
    if (text !== undefined && metadataField(`metadata.${name}`) !== undefined) attributes.set(`metadata.${name}`, text)
  }
  const id = String(user.id)
  if (user.id === creatorId) return { id, attributes, protectedBecause: "it is the community creator's account" }
  if (user.id === serviceUserId) return { id, attributes, protectedBecause: "it is the bridge's own service user" }
  return { id, attributes }
}
