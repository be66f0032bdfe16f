/** Every bound in one place, each with its reason. */

/** The whole of one SCIM request. Okta ends a socket after 60 s, and proxies before it often after 30 s. */
export const requestBudgetMs = 25_000
/** Kept back from the budget for the second commit and the answer. */
export const answerReserveMs = 2_000
/** One request to a platform. */
export const platformTimeoutMs = 10_000
/** Finding the address of a platform's name. Resolvers ask a second server after 5 s; a good one answers in milliseconds. */
export const nameLookupMs = 5_000
/** One message to a mail server, greeting to end: some let strangers wait on purpose. */
export const mailTimeoutMs = 30_000
/** What is being told when the bridge stops may finish so long; else it is told again, and people get it twice. */
export const alarmStopMs = 2_000
/** One answer of a platform, decompressed. The largest honest one is a page of 1,000 accounts. */
export const platformAnswerBytes = 5_000_000
/** Body of a SCIM request; Entra sends groups of 40,000 members in one (about 2 MB). */
export const bodyBytes = 1024 * 1024
export const groupBodyBytes = 8 * 1024 * 1024
/** JSON nesting; a SCIM document needs 5. */
export const jsonDepth = 32
/** Commas and opening brackets of a body; a group of 50,000 members with all that Entra says of them has 300,000. */
export const jsonValues = 500_000
/** Different names in a body; all schemas and their extensions have fewer than 200, in two spellings each. */
export const jsonNames = 1_000
/** Path of a request in bytes. */
export const pathBytes = 2_048
export const filterBytes = 4_096
export const filterDepth = 32
export const filterComparisons = 100
export const attributeNameLength = 256
/** Characters of one attribute's text (the largest honest one is a certificate). */
export const textLength = 10_000
export const valuesPerAttribute = 1_000
/** Bytes of one stored document, members excepted. */
export const documentBytes = 256 * 1024
export const patchOperations = 1_000
/** Characters of all paths of one PATCH: a thousand members by their ids need 100,000. */
export const patchPathLength = 128 * 1024
export const patchMembers = 50_000
/** Comparisons with values of lists that the operations of one PATCH make together; an honest one needs some dozens. */
export const patchComparisons = 50_000
/** Operations of one bulk; together they have the time of one request. Its body may have `bodyBytes`. */
export const bulkOperations = 1_000
export const pageSize = 100
export const maxPageSize = 1_000
/** How long a cursor is good for. */
export const cursorSeconds = 3_600
/** Characters of the value that a cursor goes on from; it travels in an address. */
export const cursorKeyLength = 1_000
/** A filter that no index serves looks at so many documents, for so long. */
export const scanRows = 20_000
export const scanMs = 2_000
export const scanBatch = 500
export const sortRows = 10_000
/** PATCH without If-Match is re-applied so often when another request was faster. */
export const patchRetries = 5
/** Retry-After towards identity providers, in seconds. */
export const retryAfterMinimum = 5
export const retryAfterDefault = 60
export const retryAfterMaximum = 3_600
/** Waiting operations of one connection; deactivations and deletions are always accepted. */
export const operationsPerConnection = 100_000
/** More people than this leaving within the window raise an alarm: at least so many, and so great a share of all. */
export const massDepartureMinimum = 10
export const massDepartureShare = 0.1
export const massDepartureWindowMs = 3_600_000
/** Requests of one connection in work at once; more get 429. */
export const concurrentRequests = 256
/** Of one caller, on the average; Entra's gallery asks for 25. */
export const requestsPerSecond = 100
/** And so many at once: a first load comes in waves. */
export const requestBurst = 1_000
/** All headers of a request together, its address included; more get 431. Node's own default. */
export const headerBytes = 16_384
/** An identity provider sends about ten, and a proxy adds a few. */
export const headerCount = 100
/** Of a request's address, after the question mark: the longest filter, percent-encoded, and what stands beside it. */
export const queryBytes = 14_336
/** From the first byte, or from the opening of the socket, to the end of the headers. */
export const headersTimeoutMs = 15_000
/** To the last byte of the body. Longer than the budget of any request: a slow sender, not a slow answer. */
export const requestTimeoutMs = 60_000
/** How often sockets are looked at for both. */
export const slowSocketCheckMs = 5_000
/** A socket on which nothing moves for so long is closed, also one whose answer nobody takes. */
export const idleSocketMs = 120_000
/** Identity providers keep connections for minutes; a proxy in front closes first. */
export const keepAliveMs = 75_000
/** Open sockets of all callers together; the system gives a process about as many files. */
export const openSockets = 10_000
/** How long tombstones and audit lines are kept, unless the operator says otherwise. */
export const retentionDays = 400
/** In which span a request was asked is known so long: collectors keep traces for days, and few operations wait longer. */
export const requestSpanDays = 30
/** What is left to export when the bridge stops is waited for so long. */
export const traceStopMs = 3_000
/**
 * A store of up to so many bytes (20,000 users, a quarter of a second) is looked through for damage before it is used; a
 * larger one while it is used.
 */
export const checkedAtStartBytes = 32 * 1024 * 1024
/** Rows that are erased in one transaction: others get their turn in between. */
export const erasedRows = 500
/** What is kept for long is erased by a clock that is at most so far from what it was when something was written before. */
export const believedClockDays = 30
/** Ranges of erased audit lines that one line records: some ten kilobytes; more get lines of their own. */
export const erasedRangesPerLine = 500
/** One header with credentials; tokens of identity providers have about 2,000 bytes. */
export const authorizationBytes = 8_192
/** Failed attempts of one source address in a minute; more get 429. A valid token is never counted, and never refused for them. */
export const failedAttemptsPerMinute = 300
/** Wrong secrets for one client or user from one source address in a minute; more are not even looked at. */
export const guessesPerMinute = 5
/** Sources, or clients, whose failures are remembered at once; the oldest is forgotten first. */
export const throttledKeys = 10_000
/** Body of a request for a token; the largest honest one carries an assertion of Entra's. */
export const tokenRequestBytes = 32 * 1024
/** Allowed difference between an issuer's clock and ours. */
export const clockToleranceSeconds = 60
/** An assertion that stands for a client's secret; Entra's live 65 to 90 minutes. */
export const assertionLifetimeSeconds = 7_200
/** A published set of keys; Microsoft's has about 20 kB and 10 keys. */
export const keySetBytes = 256 * 1024
export const keySetKeys = 100
export const keySetTimeoutMs = 5_000
/** An issuer's keys are fetched anew after so long, and used so long when that fails. */
export const keySetFreshMs = 3_600_000
export const keySetUsableMs = 86_400_000
/** Between two fetches for a key that is unknown. */
export const keySetPauseMs = 30_000
/** RSA keys shorter than this are not believed. */
export const rsaBits = 2_048
/** Age at which a signing key of ours is replaced by a new one. */
export const signingKeyMs = 90 * 86_400_000
/** Accounts of one walk over a platform; what lies beyond is not looked at, and the walk says so. */
export const walkAccounts = 1_000_000
/** Pages of one walk: every platform gives at least one new account a page, but for pages that shifted meanwhile. */
export const walkPages = 1_100_000
/** One page of accounts, pace included: Figshare needs two calls for each account, at about a second each. */
export const walkPageMs = 300_000
/** A walk that failed so often in a row ends; the next one begins anew. */
export const walkFailures = 10
/** Rows that a step of a walk reads or writes in one transaction, so that requests never wait long for the store. */
export const walkBatch = 200
/** Accounts that one step reads by id. */
export const walkReads = 20
/** PostgreSQL: a connection, made or free, is waited for so long, so that a request is answered while its client still waits. */
export const storeConnectMs = 2_000
/** PostgreSQL ends a transaction of ours that does nothing for so long: its process is stopped, or its network is gone. */
export const storeIdleTransactionMs = 15_000
/** Pauses between attempts to reach a server that is away: doubled from the first to the second. */
export const storeReconnectMs = 100
export const storeReconnectMaximumMs = 5_000
/** Writers of one process that wait for PostgreSQL hold at most this part of its connections: readers need the others. */
export const storeWriterShare = 0.5
/** One writer of a connection works and the next one waits at the server, so that no message lies between; others wait here. */
export const storeConnectionWriters = 2
/** A migration of a large store: an index over some hundred million rows takes so long. Who starts meanwhile waits for it. */
export const migrationStatementMs = 3_600_000
/** `store rekey` counts and rewrites whole tables: some hundred gigabytes take so long. */
export const rekeyStatementMs = 6 * 3_600_000
/** A process that has not renewed a claim for so long is taken for dead. An attempt is over long before. */
export const claimMs = 60_000
/** Claims are renewed so often where work may take longer. */
export const claimRenewalMs = 20_000
/** How often it is asked for a claim that another process holds, while a request waits. */
export const claimPollMs = 200
/** Rows that a store's own tidying touches at a time. */
export const outboxBatch = 1_000
/** Rows that go from one store to another at a time; a document has at most 256 kB. */
export const copyBatch = 500
/** A session on the operator's pages that nobody uses ends, and every one ends after a working day. */
export const consoleIdleMs = 30 * 60_000
export const consoleSessionMs = 12 * 3_600_000
/** That a session was used is written down this often. */
export const consoleUseStepMs = 60_000
/** What a button has done, told once on the next page; it travels in a cookie. */
export const consoleNoticeLength = 1_000
/** Who goes to the identity provider to sign in, from one source address in a minute. */
export const signInsPerMinute = 30
/** Sessions at once; the oldest ends first. */
export const consoleSessions = 1_000
/** A form of the operator's pages; the largest honest one carries a pasted SCIM user. */
export const consoleFormBytes = 300 * 1024
/** The form of somebody who has not signed in yet: a token. */
export const signInFormBytes = 16 * 1024
/** Rows of one page for operators. */
export const consoleRows = 50
/** Causes and findings that one page tells apart; beyond that a person reads no more. */
export const consoleCauses = 100
/** People whose names one search looks through, where no index helps. */
export const consoleScanRows = 20_000
/** Audit lines that the chart of the last day counts. */
export const chartLines = 200_000
/** In the audit: who of the operators, and why. */
export const operatorNameLength = 100
export const operatorReasonLength = 500
/** Accounts that are written again wait in the outbox with at most so many others; so many are added at a time. */
export const reapplyBacklog = 1_000
export const reapplyBatchSize = 200
/** Finished requests of operators that a connection remembers. */
export const rememberedRequests = 200
/** Of the answer of an operator's receiver of alarms; nobody reads it. */
export const alarmAnswerBytes = 64 * 1024
/** Requests of one connection that operators can look up; the oldest go first. */
export const keptRequests = 10_000
/** Requests that wait to be written down; more at once are left out, and the log says so. */
export const pendingRequests = 5_000
/** Characters of one body that are kept, and bytes of the longest that is looked at. */
export const keptBodyLength = 8_000
export const keptBodyBytes = 128 * 1024
/** Entries of one list in a body that is kept. */
export const keptEntries = 50
/** Time that somebody has at the identity provider while signing in to the operator's pages. */
export const oidcSignInMs = 600_000
/** Names of a mapping that one check looks up one by one; they share its time with everything else that is asked. */
export const checkedNames = 25
/** Rows of one page of the admin API, and the most that one asks for. */
export const adminRows = 50
export const adminMostRows = 200
/** Lines of somebody's history that come along with the person. */
export const adminHistoryLines = 20
/** Body of a request to the admin API; the largest honest one has a reason and the text of an error. */
export const adminBodyBytes = 16 * 1024
/** Characters of one parameter of the admin API: the text of an error is the longest. */
export const adminParameterLength = 2_000
