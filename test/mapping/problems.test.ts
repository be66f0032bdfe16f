import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { builtIn, changed, factsOf, figshare, place, problemsOf } from './platforms.ts'

interface Planted {
  readonly name: string
  readonly platform: string
  /** What stands in the built-in file, and the mistake in its place. */
  readonly piece: string
  readonly mistake: string
  /** Where the problem is: the first such text after `inside`. */
  readonly at: string
  readonly inside?: string
  readonly says: string
  /** Other problems that the mistake brings with it contain this. */
  readonly beside?: string | readonly string[]
}

const planted: readonly Planted[] = [
  {
    name: 'a mistyped key',
    platform: 'figshare',
    piece: 'from: userName, transform: [trim], required: true',
    mistake: 'from: userName, transform: [trim], requird: true',
    at: 'requird',
    says: 'user.attributes.institution_user_id.requird: unknown key (did you mean required?)',
  },
  {
    name: 'a transform that there is not',
    platform: 'figshare',
    piece: 'transform: [trim, lower]',
    mistake: 'transform: [trim, lowercase]',
    at: 'lowercase',
    says: "user.attributes.email.transform.1: no transform 'lowercase' (have trim, lower, upper, …)",
  },
  {
    name: 'something that is no path',
    platform: 'figshare',
    piece: 'from: name.givenName',
    mistake: "from: 'given name'",
    at: "from: 'given name'",
    says: 'user.attributes.first_name.from: not a SCIM path (try userName, name.givenName or emails[type eq "work"].value)',
  },
  {
    name: 'a mistyped attribute of the platform',
    platform: 'figshare',
    piece: '    group_id: {',
    mistake: '    groupid: {',
    at: 'groupid:',
    says: "user.attributes.groupid: figshare has no writable attribute 'groupid' (did you mean group_id?)",
  },
  {
    name: 'an attribute that can only be read',
    platform: 'figshare',
    piece: '    group_id: {',
    mistake: '    user_id: {',
    at: 'user_id:',
    inside: 'job_title',
    says: "user.attributes.user_id: figshare has no writable attribute 'user_id' (have institution_user_id, email, first_name, last_name, job_title, orcid, group_id, symplectic_user_id, quota)",
  },
  {
    name: 'a table that there is not',
    platform: 'figshare',
    piece: 'table: faculty',
    mistake: 'table: faculties',
    at: 'table: faculties',
    says: "user.attributes.group_id.table: no table named 'faculties' (have faculty)",
  },
  {
    name: 'two sources',
    platform: 'figshare',
    piece: '{ const: 5368709120,',
    mistake: '{ from: title, const: 5368709120,',
    at: 'quota:',
    says: 'user.attributes.quota: say exactly one of from, const, join, when (found from, const)',
  },
  {
    name: 'a match attribute that is cut',
    platform: 'figshare',
    piece: 'from: userName, transform: [trim]',
    mistake: 'from: userName, read: never, transform: [trim, { truncate: 3 }]',
    at: 'institution_user_id:',
    says: "user.attributes.institution_user_id: is a match attribute, but 'truncate' can make two people equal: drop it",
  },
  {
    name: 'a rule that cannot be read back',
    platform: 'figshare',
    piece: 'from: name.givenName, transform: [collapse_spaces]',
    mistake: 'from: name.givenName, transform: [{ truncate: 30 }]',
    at: 'first_name:',
    says: "user.attributes.first_name: cannot be read back, 'truncate' loses information: say read: never",
  },
  {
    name: 'no choice about a change that the platform cannot make',
    platform: 'figshare',
    piece: 'transform: [trim], required: true, on_change: refuse',
    mistake: 'transform: [trim], required: true',
    at: 'institution_user_id:',
    says: 'user.attributes.institution_user_id: figshare cannot change it after creation: say on_change: refuse, on_change: keep or write: create',
  },
  {
    name: 'no choice about a value that the platform cannot clear',
    platform: 'figshare',
    piece: 'from: title, transform: [trim], empty: keep',
    mistake: 'from: title, transform: [trim]',
    at: 'job_title:',
    says: 'user.attributes.job_title: figshare cannot clear it: say empty: keep, required or default',
  },
  {
    name: 'match by something that cannot be found',
    platform: 'dspace',
    piece: 'match: [email]',
    mistake: 'match: [netid]',
    at: 'netid',
    inside: 'match',
    says: "user.match.0: dspace cannot find accounts by 'netid' (can: email)",
  },
  {
    name: 'a key of prototypes',
    platform: 'figshare',
    piece: 'unknown: omit',
    mistake: '__proto__: { unknown: omit }',
    at: '__proto__',
    says: 'tables.faculty.__proto__: is no key',
  },
  {
    name: 'an alias',
    platform: 'figshare',
    piece: 'delete: deactivate',
    mistake: 'delete: *way',
    at: '*way',
    says: 'user.lifecycle.delete: aliases are not read: write the value out',
  },
  {
    name: 'a key said twice',
    platform: 'figshare',
    piece: 'unknown: omit',
    mistake: 'unknown: omit\n    unknown: pass',
    at: 'unknown: pass',
    says: 'tables.faculty.unknown: is said twice: drop one',
  },
  {
    name: 'a required attribute without a rule',
    platform: 'ethosce',
    piece: '    mail:\n',
    mistake: '    field_mail:\n',
    at: 'attributes:',
    says: "user.attributes: ethosce needs 'mail': add a rule for it",
    beside: "'mail' has no rule",
  },
  {
    name: 'a prefix that nobody declared',
    platform: 'figshare',
    piece: 'from: "ent:department"',
    mistake: 'from: "enterprise:department"',
    at: 'from: "enterprise',
    says: "user.attributes.group_id.from: no prefix named 'enterprise' (have ent): declare it under prefixes",
  },
  {
    name: 'a table with a value twice that would have to be read back',
    platform: 'figshare',
    piece: 'Chemistry: 102',
    mistake: 'Chemistry: 101',
    at: 'group_id:',
    inside: 'attributes:',
    says: "user.attributes.group_id: cannot be read back, table 'faculty' has a value twice: say read: never",
  },
  {
    name: 'a table of the wrong type',
    platform: 'figshare',
    piece: 'Chemistry: 102',
    mistake: "Chemistry: '102'",
    at: 'group_id:',
    inside: 'attributes:',
    says: "user.attributes.group_id: table 'faculty' gives text, figshare takes a whole number",
  },
  {
    name: 'a way back that is the way out',
    platform: 'figshare',
    piece: 'reactivate: { is_active: true }',
    mistake: 'reactivate: { is_active: false }',
    at: 'reactivate:',
    says: 'user.lifecycle.reactivate: is the same as deactivate: nobody could be switched off',
  },
  {
    name: 'a rule for what only the life cycle writes',
    platform: 'figshare',
    piece: '    quota: {',
    mistake: '    is_active: { const: true }\n    quota: {',
    at: 'is_active: { const',
    says: 'user.attributes.is_active: says whether the account is on, which only user.lifecycle writes: drop the rule',
  },
  {
    name: 'a delete that the platform does not have',
    platform: 'figshare',
    piece: 'delete: deactivate',
    mistake: 'delete: delete',
    at: 'delete: delete',
    says: 'user.lifecycle.delete: figshare cannot delete accounts: say delete: deactivate or delete: refuse',
  },
  {
    name: 'a life cycle by something that is no status',
    platform: 'dspace',
    piece: 'deactivate: { canLogIn: false }',
    mistake: 'deactivate: { requireCertificate: true }',
    at: 'requireCertificate',
    says: "user.lifecycle.deactivate.requireCertificate: dspace has no status attribute 'requireCertificate' (have canLogIn)",
  },
  {
    name: 'a status as a boolean where the platform wants a number',
    platform: 'ethosce',
    piece: 'deactivate: { status: 0 }',
    mistake: 'deactivate: { status: false }',
    at: 'status: false',
    says: 'user.lifecycle.deactivate.status: is true or false, ethosce takes a whole number',
  },
  {
    name: 'accounts that are closed and count as on',
    platform: 'openspecimen',
    piece: '[Active, Locked, Expired]',
    mistake: '[Active, Locked, Closed]',
    at: 'active_when:',
    says: 'user.lifecycle.active_when: holds for deactivate: nobody would be read as off',
  },
  {
    name: 'a grant key that the platform does not have',
    platform: 'figshare',
    piece: 'grant: { group_id: 100, role_id: 2 } }',
    mistake: 'grant: { group_id: 100, rol_id: 2, role_id: 2 } }',
    at: 'rol_id',
    says: "groups.grants.1.grant.rol_id: figshare has no grant key 'rol_id' (did you mean role_id?)",
  },
  {
    name: 'half a grant',
    platform: 'figshare',
    piece: 'grant: { group_id: 100, role_id: 2 } }',
    mistake: 'grant: { role_id: 2 } }',
    at: 'grant: { role_id: 2 }',
    says: 'groups.grants.1.grant: a grant of figshare needs group_id',
  },
  {
    name: 'groups on a platform without groups',
    platform: 'ethosce',
    piece: 'as: grants',
    mistake: 'as: groups',
    at: 'as: groups',
    says: 'groups.as: ethosce has no groups of its own: say as: grants or as: none',
    beside: ['groups.grants: means nothing with as: groups: drop it', 'examples.0: groups give grants only with'],
  },
  {
    name: 'a group in an example of a mapping whose groups give no grants',
    platform: 'dspace',
    piece: 'changes: { phone: null }',
    mistake: 'changes: { phone: null }\n    groups: [a]\n    grants: []',
    at: 'name: a telephone number',
    says: 'examples.2: groups give grants only with as: grants (here: as: groups): drop groups and grants',
  },
  {
    name: 'a policy by which no group could ever be used',
    platform: 'dspace',
    piece: 'adopt: by_name',
    mistake: 'adopt: never\n  create: false',
    at: 'groups:',
    says: 'groups: no group can ever be used with adopt: never and create: false: drop one of them',
  },
  {
    name: 'a protected group whose name no group can have',
    platform: 'selfcommunity',
    piece: 'delete: release',
    mistake: `delete: release\n  protect: [${'x'.repeat(65)}]`,
    at: 'xxxxx',
    says: 'groups.protect.0: no group of selfcommunity has a name of 65 characters',
  },
  {
    name: 'a grant of two forms at once',
    platform: 'ethosce',
    piece: 'grant: { role: reviewer }',
    mistake: 'grant: { role: reviewer, rid: 7 }',
    at: 'grant: { role: reviewer, rid: 7 }',
    says: 'groups.grants.0.grant: a grant of ethosce is role or rid, not role with rid',
  },
  {
    name: 'a grant with an empty name',
    platform: 'ethosce',
    piece: 'grant: { role: reviewer }',
    mistake: "grant: { role: '' }",
    at: "role: '' }",
    says: 'groups.grants.0.grant.role: is empty: drop it, or say what is meant',
  },
  {
    name: 'a grant that moves accounts beside a rule that does',
    platform: 'figshare',
    piece: 'grant: { group_id: 100, role_id: 2 }',
    mistake: 'grant: { group_id: 100 }',
    at: 'grant: { group_id: 100 }',
    says: 'groups.grants.1.grant: moves accounts by group_id, which user.attributes.group_id sets too: drop the rule or the grant',
  },
  {
    name: 'a site without a role',
    platform: 'openspecimen',
    piece: 'grant: { role: Technician, site: Main Biobank }',
    mistake: 'grant: { group: Biobankers, site: Main Biobank }',
    at: 'site: Main Biobank }',
    inside: 'grant: { group: Biobankers',
    says: 'groups.grants.1.grant.site: means nothing without role',
  },
  {
    name: 'an example that expects nothing',
    platform: 'dspace',
    piece: 'changes: { phone: null }',
    mistake: 'account: {}',
    at: 'name: a telephone number',
    says: 'examples.2: was needs changes or error',
  },
  {
    name: 'a mode that the platform does not have',
    platform: 'figshare',
    piece: 'match: [institution_user_id, email]',
    mistake: 'mode: invitation\n  match: [institution_user_id, email]',
    at: 'mode:',
    says: 'user.mode: figshare has no modes: drop it',
  },
  {
    name: 'protection by something that no account has',
    platform: 'figshare',
    piece: 'attribute: email',
    mistake: 'attribute: emial',
    at: 'attribute: emial',
    says: "user.protect.0.attribute: figshare has no attribute 'emial' (did you mean email?)",
  },
  {
    name: 'a value that the platform would never take',
    platform: 'openspecimen',
    piece: 'const: NONE',
    mistake: 'const: NOBODY',
    at: 'type:',
    inside: 'timeZone',
    says: "user.attributes.type: const: 'NOBODY' is not one of NONE, INSTITUTE, SUPER, CONTACT",
  },
  {
    name: 'another version',
    platform: 'figshare',
    piece: 'version: 1',
    mistake: 'version: 2',
    at: 'version',
    says: "version: '2' is not 1",
  },
  {
    name: 'a policy that there is not',
    platform: 'figshare',
    piece: 'write: create',
    mistake: 'write: creat',
    at: 'write: creat',
    says: "user.attributes.quota.write: 'creat' is not one of always, create, if_empty, never (did you mean create?)",
  },
]

describe('a planted mistake is found at its place, and nothing else is', () => {
  for (const { name, platform, piece, mistake, at, inside, says, beside } of planted) {
    test(name, () => {
      const text = changed(builtIn(platform), piece, mistake)
      const file = `mappings/${platform}.yaml`
      const problems = problemsOf({ file, text, facts: factsOf(platform) ?? figshare })
      const expected = `${file}:${place(text, at, inside)}: ${says}`
      assert.deepEqual(
        problems.filter((line) => ![beside ?? []].flat().some((other) => line.includes(other))),
        [expected],
      )
    })
  }
})
