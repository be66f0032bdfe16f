/** Every account of every simulated platform, seen from inside, in one shape: what the invariants are checked against. */
import type { DemoPlatform } from '../../src/cli/demo-config.ts'
import { isJsonObject, type JsonObject } from '../../src/json.ts'
import type { Sandbox } from '../../src/sandbox/sandbox.ts'

export interface InnerAccount {
  readonly id: string
  readonly isOn: boolean
  readonly email: string
  /** The key of single sign-on. */
  readonly ssoId: string
  readonly givenName: string
  readonly familyName: string
  readonly title: string | undefined
  /** Roles and groups, sorted. */
  readonly grants: readonly string[]
  /** All that a bridge could have written, as text: equal texts are equal accounts. */
  readonly text: string
  /** The same without roles and groups. */
  readonly textBesidesGrants: string
  /** The platform's own administrator, whose credentials the bridge uses. */
  readonly isService: boolean
}

type Seen = Omit<InnerAccount, 'text' | 'textBesidesGrants'>
const whole = (seen: Seen, more: object = {}): InnerAccount => ({
  ...seen,
  text: JSON.stringify([seen, more]),
  textBesidesGrants: JSON.stringify([{ ...seen, grants: [] }, more]),
})
const lower = (text: string | null | undefined) => (text ?? '').toLowerCase()

const readers: Readonly<Record<DemoPlatform, (sandbox: Sandbox) => InnerAccount[]>> = {
  figshare: ({ figshare: { logic } }) =>
    [...logic.state.accounts.values()].map((account) =>
      whole(
        {
          id: String(account.id),
          isOn: account.active,
          email: lower(account.email),
          ssoId: account.institution_user_id,
          givenName: account.profile.first_name,
          familyName: account.profile.last_name,
          title: account.profile.job_title,
          grants: [...account.roles].flatMap(([group, roles]) => [...roles].map((role) => `${group}/${role}`)).sort(),
          isService: account.id === logic.administrator.id,
        },
        { group: account.group_id, quota: account.quota },
      ),
    ),
  ethosce: ({ ethosce: { logic } }) => {
    const { users, authmap, profiles } = logic.state
    return [...users.rows.values()].map((user) => {
      const rows = [...authmap.rows.values()].filter((row) => row.uid === user.uid)
      const own = [...profiles.rows.values()].filter((row) => row.user === user.uid)
      const field = (name: string) => own[0]?.fields.get(name) ?? ''
      return whole(
        {
          id: String(user.uid),
          isOn: user.status === 1,
          email: lower(user.mail),
          ssoId: rows[0]?.authname ?? '',
          givenName: field('field_first_name'),
          familyName: field('field_last_name'),
          title: undefined,
          grants: user.roles.map(String).sort(),
          isService: user.name === logic.credentials.user,
        },
        { name: user.name, rows, fields: own.map((profile) => [...profile.fields]) },
      )
    })
  },
  openspecimen: ({ openspecimen: { logic } }) =>
    [...logic.users.values()]
      .filter((user) => user.activityStatus !== 'Disabled')
      .map((user) =>
        whole(
          {
            id: String(user.id),
            isOn: user.activityStatus === 'Active',
            email: lower(user.emailAddress),
            ssoId: `${lower(user.loginName)}@${user.domainName}`,
            givenName: user.firstName,
            familyName: user.lastName,
            title: undefined,
            grants: user.roles.map(({ role, site }) => `${role}/${site ?? ''}`).sort(),
            isService: user.id === logic.serviceUser.id,
          },
          { status: user.activityStatus, type: user.type, institute: user.instituteName, phone: user.phoneNumber },
        ),
      ),
  selfcommunity: ({ selfcommunity: { logic } }) =>
    [...logic.state.users.values()]
      .filter((user) => user.status !== 'd')
      .map((user) => {
        const [givenName = '', ...rest] = (user.real_name ?? '').split(' ')
        return whole(
          {
            id: String(user.id),
            isOn: user.status === 'a',
            email: lower(user.email),
            ssoId: user.ext_id ?? '',
            givenName,
            familyName: rest.join(' '),
            title: undefined,
            grants: [...user.tags].map(String).sort(),
            isService: user.id === Number(logic.credentials.userId),
          },
          { status: user.status, bio: user.bio, location: user.location, links: user.links },
        )
      }),
  dspace: ({ dspace: { logic } }) =>
    [...logic.state.epersons.values()].map((person) => {
      const value = (field: string) => person.metadata.get(field)?.[0]?.value ?? ''
      return whole(
        {
          id: person.uuid,
          isOn: person.canLogIn,
          email: person.email,
          ssoId: person.netid ?? '',
          givenName: value('eperson.firstname'),
          familyName: value('eperson.lastname'),
          title: undefined,
          grants: [...person.groups].sort(),
          isService: person.uuid === logic.administrator.uuid,
        },
        { metadata: [...person.metadata] },
      )
    }),
}

export function innerAccounts(sandbox: Sandbox, platform: DemoPlatform): readonly InnerAccount[] {
  return readers[platform](sandbox)
}

export function isSamePerson(document: JsonObject, account: InnerAccount): boolean {
  const { userName, externalId, emails } = document
  const addresses = (Array.isArray(emails) ? emails : []).filter(isJsonObject).map(({ value }) => String(value))
  const keys = [userName, externalId].filter((key) => typeof key === 'string').map((key) => key.toLowerCase())
  const sso = account.ssoId.toLowerCase()
  return (
    addresses.some((address) => address.toLowerCase() === account.email) ||
    keys.some((key) => key === sso || `${key}@openspecimen` === sso)
  )
}
