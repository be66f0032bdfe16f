// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are pieces of source text.
/** List 9.14: bugs that somebody could make one day, each with the tests that must turn red. */

/** Text that is in the file exactly once, and what the bug makes of it. */
export type Edit = readonly [from: string, to: string]

export interface Mutant {
  /** Of the list; those after 24 are additions. */
  readonly number: number
  readonly name: string
  readonly file: string
  readonly edits: readonly Edit[]
  /** Files below `test`, without `.test.ts`. */
  readonly tests: readonly string[]
}

export const mutants: readonly Mutant[] = [
  {
    number: 1,
    name: 'errors reach the SCIM library unguarded',
    file: 'src/scim/guard.ts',
    edits: [['    throw sentinel\n', '    throw error\n']],
    tests: ['scim/routers-contract'],
  },
  {
    number: 2,
    name: 'an unknown outcome is answered with 2xx',
    file: 'src/provision/provision.ts',
    edits: [
      ["    if (settled.kind === 'waiting') throw notYet(settled.error.message, settled.dueAt, settled.error)\n", ''],
    ],
    tests: ['provision/ordering'],
  },
  {
    number: 3,
    name: 'the status of a write is trusted instead of the state',
    file: 'src/platforms/figshare/connection.ts',
    edits: [
      [
        '    return { ...before, attributes: withAccount(before.attributes, raw) }\n  }\n\n  /** A token that was replaced',
        '    return { ...before, attributes: new Map([...before.attributes, ...changes]) }\n  }\n\n  /** A token that was replaced',
      ],
    ],
    tests: ['platforms/figshare'],
  },
  {
    number: 4,
    name: 'a create does not look for the account first',
    file: 'src/provision/reach.ts',
    edits: [['  if (found !== undefined) return adjust(call, situation, found, wanted)\n', '']],
    tests: ['provision/adoption'],
  },
  {
    number: 5,
    name: 'what is unfinished is not looked at when the bridge starts',
    file: 'src/provision/outbox.ts',
    edits: [
      [
        `    await makeDue().catch((error: unknown) =>
      log.error({ connection: connection.name, err: error }, 'the outbox cannot be read'),
    )
`,
        '',
      ],
    ],
    tests: ['bridge/crash'],
  },
  {
    number: 6,
    name: 'attempts at one link overlap',
    file: 'src/provision/runner.ts',
    edits: [['running.get(resourceId) ?? Promise.resolve()', 'Promise.resolve()']],
    tests: ['provision/ordering'],
  },
  {
    number: 7,
    name: 'of two accounts that fit the first is taken',
    file: 'src/provision/find-account.ts',
    edits: [['if (hits.size > 1) {', 'if (hits.size > 1_000) {']],
    tests: ['provision/disputed'],
  },
  {
    number: 8,
    name: "the platform's 401 is relayed",
    file: 'src/errors.ts',
    edits: [
      [
        "denied: { outcome: 'not_applied', retry: 'later', status: 429,",
        "denied: { outcome: 'not_applied', retry: 'stop', status: 401,",
      ],
    ],
    tests: ['provision/suspension'],
  },
  {
    number: 9,
    name: 'a PUT without active switches on',
    file: 'src/scim/users.ts',
    edits: [
      ['active: active ?? base.active ?? true }', 'active: active ?? true }'],
      ['return { document: next, active, changed', 'return { document: next, active: active ?? true, changed'],
    ],
    tests: ['provision/ordering'],
  },
  {
    number: 11,
    name: 'a deactivation is given up',
    file: 'src/provision/commit.ts',
    edits: [
      [
        'if (hasEnded(operation, error, attempts, now) && !isLeaver) {',
        'if (hasEnded(operation, error, attempts, now)) {',
      ],
    ],
    tests: ['provision/leaving'],
  },
  {
    number: 12,
    name: 'a create takes the place of a deletion',
    file: 'src/provision/accept.ts',
    edits: [
      [
        "getOperation(connection.name, existing.id)\n  if (operation?.kind === 'delete') throw beingDeleted(connection)\n",
        'getOperation(connection.name, existing.id)\n',
      ],
    ],
    tests: ['provision/deferred'],
  },
  {
    number: 13,
    name: 'the Authorization header is logged',
    file: 'src/http/access-log.ts',
    edits: [
      ['        method: request.method,\n', '        method: request.method,\n        sent: request.rawHeaders,\n'],
    ],
    tests: ['http/protocol'],
  },
  {
    number: 14,
    name: 'redirects are followed',
    file: 'src/platforms/create-client.ts',
    edits: [
      ['import { Agent }', "import { interceptors } from 'undici'\nimport { Agent }"],
      ['exchangeOnce(agent,', 'exchangeOnce(agent.compose(interceptors.redirect({ maxRedirections: 3 })),'],
    ],
    tests: ['platforms/create-client'],
  },
  {
    number: 15,
    name: 'tokens are compared with ===',
    file: 'src/http/authentication/digest.ts',
    edits: [['timingSafeEqual(digest, presented)', "digest.toString('hex') === presented.toString('hex')"]],
    tests: ['http/constant-time'],
  },
  {
    number: 16,
    name: 'one query leaves out the connection',
    file: 'src/store/reads.ts',
    edits: [
      [
        "where connection = ${slot('connection')} and account_id = ${slot('accountId')}",
        "where ${slot('connection')} <> '' and account_id = ${slot('accountId')}",
      ],
    ],
    tests: ['store/sqlite'],
  },
  {
    number: 17,
    name: 'strangers make us parse',
    file: 'src/http/app.ts',
    edits: [
      [
        '    authenticate(authentication),\n    served.requestLog.watch,\n    callerLimit(clock, served.limits),\n    body,\n',
        '    body,\n    authenticate(authentication),\n    served.requestLog.watch,\n    callerLimit(clock, served.limits),\n',
      ],
    ],
    tests: ['http/protocol'],
  },
  {
    number: 18,
    name: 'locations come from the Host header',
    file: 'src/scim/users.ts',
    edits: [
      [
        "locationOf(context.connection.baseUrl, { type: 'User', id })",
        "locationOf(`http://${context.response.req.headers.host}/x`, { type: 'User', id })",
      ],
    ],
    tests: ['http/protocol'],
  },
  {
    number: 19,
    name: 'names given by clients reach what an object inherits',
    file: 'src/scim/document-values.ts',
    edits: [['Object.hasOwn(object, name) ? object[name] : undefined', 'object[name]']],
    tests: ['scim/hostile-names', 'scim/filter-compile', 'scim/defects'],
  },
  {
    number: 20,
    name: 'If-Match is ignored',
    file: 'src/scim/context.ts',
    edits: [["return ifMatch.split(',').some((tag) => tag.trim() === etagOf(version))", 'return true']],
    tests: ['http/protocol'],
  },
  {
    number: 21,
    name: 'a protected account is taken over',
    file: 'src/provision/find-account.ts',
    edits: [['  if (protection !== undefined)\n    return `', '  if (connection.name.length === 0)\n    return `']],
    tests: ['provision/adoption'],
  },
  {
    number: 10,
    name: 'a grant that was given by hand is taken',
    file: 'src/provision/grants.ts',
    edits: [
      [
        'const isOurs = !isHeld || isListed || ours.has(identity(grant))',
        'const isOurs = true || isHeld || isListed || ours.has(identity(grant))',
      ],
    ],
    tests: ['provision/grants', 'grants/figshare'],
  },
  {
    number: 22,
    name: 'whoever is missing in a list counts as deleted',
    file: 'src/provision/reconcile-walk.ts',
    edits: [
      [
        '  const account = await platform.read(call, accountId)\n  return world',
        '  const account = platform.read.length > 9 ? await platform.read(call, accountId) : undefined\n  return world',
      ],
    ],
    tests: ['reconcile/walk'],
  },
  {
    number: 23,
    name: 'an answer counts as flushed when nobody knows',
    file: 'src/provision/accept.ts',
    edits: [['link === undefined || link.wasFlushed || context.isFlushed(existing.id)', 'true']],
    tests: ['provision/repeated-post'],
  },
  {
    number: 24,
    name: 'commits are not flushed to the disk',
    file: 'src/store/open.ts',
    edits: [['pragma synchronous = full', 'pragma synchronous = off']],
    tests: ['store/open'],
  },
  {
    number: 25,
    name: 'a write goes out before its audit line',
    file: 'src/platforms/create-client.ts',
    edits: [
      ['      if (isWrite(request)) await call.beforeWrite({ method: request.method, path: pathOf(request) })\n', ''],
    ],
    tests: ['platforms/create-client'],
  },
  {
    number: 26,
    name: 'the outcome is stored without the end of the operation',
    file: 'src/provision/commit.ts',
    edits: [['  else await write.deleteOperation(name, operation.id)\n  const known', '  const known']],
    tests: ['provision/repeated-post'],
  },
  {
    number: 28,
    name: 'a grant is written before the ledger says so',
    file: 'src/provision/reach-grants.ts',
    edits: [['  await situation.noteLedger(plan.before)\n', '']],
    tests: ['grants/figshare'],
  },
  {
    number: 29,
    name: 'a membership that changes during an attempt is lost',
    file: 'src/store/grant-operations.ts',
    edits: [["update operation set id = ${slot('id')}, due_at", 'update operation set due_at']],
    tests: ['store/sqlite'],
  },
  {
    number: 30,
    name: 'a refused membership ends what another one waits for',
    file: 'src/provision/withdraw-members.ts',
    edits: [
      [
        '  const operations = await write.putGrantOperations(name, unsettled, { dueAt: now, requestId, caller, createdAt })\n',
        '  for (const { id } of await write.operationsOf(name, unsettled)) await write.deleteOperation(name, id)\n  const operations: GrantOperation[] = []\n',
      ],
    ],
    tests: ['grants/figshare'],
  },
  {
    number: 31,
    name: 'a grant is taken with the first of the groups that give it',
    file: 'src/provision/grants.ts',
    edits: [
      [
        "if (wantedKeys.has(entry.key) || entry.origin === 'found' || wantedNow.has(id) || !",
        "if (entry.origin === 'found' || !",
      ],
    ],
    tests: ['grants/ordering'],
  },
  {
    number: 27,
    name: 'a retry switches on what was left off',
    file: 'src/provision/reach.ts',
    edits: [['asked.active && !isOn && !operation.mayActivate', 'asked.active && !isOn && operation.attempts < 0']],
    tests: ['provision/adoption'],
  },
  {
    number: 49,
    name: "an answer to a leaver's edit that cannot be read counts as applied",
    file: 'src/provision/reach.ts',
    edits: [['    if (isBroken && !hasEnded(', '    if (isBroken && operation.attempts < 0 && !hasEnded(']],
    tests: ['provision/leaving'],
  },
  {
    number: 32,
    name: 'an account that an operator has let go is written',
    file: 'src/provision/reach-let-go.ts',
    edits: [['return link.unlinkedAccountId !== undefined', 'return link.unlinkedAccountId === "nothing"']],
    tests: ['operator/accounts'],
  },
  {
    number: 33,
    name: 'the departure of somebody whose account was let go ends unseen',
    file: 'src/provision/reach-let-go.ts',
    edits: [['if (account === undefined || !isActive(', 'if (account !== undefined || !isActive(']],
    tests: ['operator/accounts'],
  },
  {
    number: 34,
    name: 'an operator takes over a protected account',
    file: 'src/provision/operator-account.ts',
    edits: [['  if (protection !== undefined)\n', '  if (protection === accountId)\n']],
    tests: ['operator/accounts'],
  },
  {
    number: 35,
    name: 'an action of an operator overlaps an attempt',
    file: 'src/provision/runner.ts',
    edits: [['before === undefined ? work() : before.then(work)', 'before === undefined ? work() : work()']],
    tests: ['operator/in-order'],
  },
  {
    number: 40,
    name: "the operator's pages write values as they are",
    file: 'src/console/view.ts',
    edits: [['autoEscape: true', 'autoEscape: false']],
    tests: ['console/templates'],
  },
  {
    number: 41,
    name: 'a form of any session is taken',
    file: 'src/console/security.ts',
    edits: [['  if (presented.length === wanted.length && timingSafeEqual(presented, wanted)) return\n', '  return\n']],
    tests: ['console/sign-in'],
  },
  {
    number: 42,
    name: 'a form of another site is taken',
    file: 'src/console/security.ts',
    edits: [["site !== 'same-origin'", "site === 'same-origin-of-nobody'"]],
    tests: ['console/sign-in'],
  },
  {
    number: 43,
    name: "an identity provider's token opens the operator's pages",
    file: 'src/http/authentication/operator-access.ts',
    edits: [["stored?.role !== 'operate' || ", 'stored === undefined || ']],
    tests: ['console/sign-in'],
  },
  {
    number: 44,
    name: 'an operator sees a connection that is not theirs',
    file: 'src/console/visit.ts',
    edits: [
      [' || !visit.operator.connections.includes(connection.name)', ''],
      ['.filter(({ name }) => operator.connections.includes(name))', ".filter(() => operator.name !== '')"],
    ],
    tests: ['console/sign-in'],
  },
  {
    number: 45,
    name: 'a session outlives the token that it was begun with',
    file: 'src/console/console.ts',
    edits: [
      [
        '    await sessions.end(cookie)\n    return undefined\n',
        "    return { operator: { name: 'nobody', connections: [] }, session, cookie }\n",
      ],
    ],
    tests: ['console/sign-in'],
  },
  {
    number: 46,
    name: 'values of people are kept with requests',
    file: 'src/http/masked.ts',
    edits: [['  return open.has(key) && !isForeign ? value : mask\n', '  return value\n']],
    tests: ['console/requests'],
  },
  {
    number: 47,
    name: 'an ID token of another sign-in is taken',
    file: 'src/http/authentication/operator-oidc.ts',
    edits: [['said !== nonce || ', '']],
    tests: ['console/oidc'],
  },
  {
    number: 48,
    name: "the identity provider's answer is taken from any browser",
    file: 'src/http/authentication/operator-oidc.ts',
    edits: [[" && answer.get('state') === one.state", '']],
    tests: ['console/oidc'],
  },
  {
    number: 55,
    name: "a token of one connection sees another one's people through the admin API",
    file: 'src/admin/visit.ts',
    edits: [[' || !caller.roles.has(name)', '']],
    tests: ['admin/way-in'],
  },
  {
    number: 50,
    name: "an identity provider's token may use the admin API",
    file: 'src/http/authentication/admin-access.ts',
    edits: [
      [
        "caller.role !== 'provision') roles.set(gate.connection, caller.role)",
        "name !== '') roles.set(gate.connection, caller.role === 'provision' ? 'read' : caller.role)",
      ],
    ],
    tests: ['admin/way-in'],
  },
  {
    number: 51,
    name: 'who may only look does something through the admin API',
    file: 'src/admin/admin.ts',
    edits: [['ranks.indexOf(role) >= ranks.indexOf(needed)', 'ranks.indexOf(role) >= 0']],
    tests: ['admin/way-in'],
  },
  {
    number: 52,
    name: 'an answer of the identity provider is good for several sessions',
    file: 'src/store/session-store.ts',
    edits: [
      [
        "delete from console_sign_in where digest = ${slot('digest')} returning began_at",
        "select began_at from console_sign_in where digest = ${slot('digest')}",
      ],
    ],
    tests: ['console/oidc'],
  },
  {
    number: 53,
    name: 'anybody can have a page say something',
    file: 'src/console/cookie.ts',
    edits: [['timingSafeEqual(presented, signature)', 'presented.length > 0']],
    tests: ['console/sign-in'],
  },
  {
    number: 54,
    name: 'sessions of the identity provider outlive the secret of the client',
    file: 'src/http/authentication/operator-access.ts',
    edits: [[' || fingerprint !== oidc.fingerprint()', '']],
    tests: ['console/oidc'],
  },
  {
    number: 60,
    name: 'what one process does at a time is done by each',
    file: 'src/store/claim-store.ts',
    edits: [['  if (!(await claimTask(store, task))) return undefined\n', '']],
    tests: ['operator/replicas', 'alarms/replicas'],
  },
  {
    number: 56,
    name: 'an action of an operator overlaps an attempt in another process',
    file: 'src/provision/operator-subject.ts',
    edits: [['    await claimInTurn(context, resourceId)\n', '']],
    tests: ['operator/replicas'],
  },
  {
    number: 57,
    name: 'what was told just now is told again by another process',
    file: 'src/alarms/delivery.ts',
    edits: [['alarm.kind === kind && isDue(alarm)', 'alarm.kind === kind && alarm.way === way.name']],
    tests: ['alarms/delivery'],
  },
  {
    number: 58,
    name: 'a rename that is pushed again is answered without a look at the members',
    file: 'src/provision/accept-group.ts',
    edits: [['isMade || asksAgain(context, change)', 'isMade']],
    tests: ['grants/figshare'],
  },
  {
    number: 59,
    name: 'names whose resolvers are away take all places',
    file: 'src/platforms/name-search.ts',
    edits: [['const mustWait = late.has(key) && ', 'const mustWait = false && ']],
    tests: ['platforms/name-search'],
  },
  {
    number: 61,
    name: 'a transaction is committed before it is known whether it was let in',
    file: 'src/store/postgres-conversation.ts',
    edits: [['alone(answered(opened(query, connection)))', 'answered(opened(query, connection))']],
    tests: ['store/postgres-conversation'],
  },
  {
    number: 62,
    name: 'more is said while it is in doubt whether a name is taken',
    file: 'src/store/postgres-conversation.ts',
    edits: [['    return mayBeTaken ? alone(guarded(query))', '    return mayBeTaken ? guarded(query)']],
    tests: ['store/postgres-conversation'],
  },
  {
    number: 63,
    name: 'an attempt whose request was not stored keeps its place for ever',
    file: 'src/provision/provision.ts',
    edits: [['      begun?.giveUp()\n', '']],
    tests: ['bridge/store-failure'],
  },
  {
    number: 64,
    name: 'before a create is sent nobody is told that an account may appear',
    file: 'src/provision/recording.ts',
    edits: [
      [
        `          if (options.isMaking() && (await options.isAsked(write)))
            await write.noteUnknown(connection.name, resourceId, clock.now())
`,
        '',
      ],
    ],
    tests: ['provision/late-create'],
  },
  {
    number: 65,
    name: 'an attempt takes its claim anew when another process has had it',
    file: 'src/provision/claims.ts',
    edits: [["return store.renewClaim(connection, 'link'", "return store.claim(connection, 'link'"]],
    tests: ['provision/replicas'],
  },
  {
    number: 66,
    name: 'what follows a cancelled begin is carried out',
    file: 'src/store/postgres.ts',
    edits: [
      ['        connection.execute({}, true)\n', '        connection.execute({}, true)\n        connection.sync()\n'],
    ],
    tests: ['store/postgres-conversation'],
  },
  {
    number: 67,
    name: 'what a write says of an absence is believed at once',
    file: 'src/provision/reach.ts',
    edits: [['    if (!(error instanceof Absent)) throw error\n', '    throw error\n']],
    tests: ['provision/vanished'],
  },
]
