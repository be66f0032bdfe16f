/** Role assignments of a user, for all sites of the institute or one, for all protocols or one. */
import type { SimulatorAnswer } from '../simulator.ts'
import { json, refusal } from './answers.ts'
import { rowNamed } from './directory.ts'
import { idOf, members, parseMembers, textOf } from './input.ts'
import { requireInstituteAdmin } from './rights.ts'
import type { Installation } from './show.ts'
import type { OpenspecimenUser, RoleAssignment } from './state.ts'

/** Throws RBAC_SUBJECT_NOT_FOUND. */
export function subjectById(installation: Installation, id: number): OpenspecimenUser {
  const user = installation.state.users.get(id)
  if (user === undefined || user.activityStatus === 'Disabled') throw refusal('RBAC_SUBJECT_NOT_FOUND')
  return user
}

export function listAssignments(installation: Installation, subject: OpenspecimenUser): SimulatorAnswer {
  return json(subject.roles.map((assignment) => show(installation, assignment)))
}

export function assignRole(
  installation: Installation,
  caller: OpenspecimenUser,
  subject: OpenspecimenUser,
  body: string,
): SimulatorAnswer {
  requireInstituteAdmin(caller, subject.instituteName)
  const wanted = parse(installation, subject, body)
  const twin = subject.roles.find(
    (assignment) =>
      assignment.role === wanted.role &&
      assignment.site === wanted.site &&
      assignment.collectionProtocol === wanted.collectionProtocol,
  )
  if (twin !== undefined && installation.knobs.sameRoleTwice === 'one row') return json(show(installation, twin))
  const assignment = { id: installation.state.nextId(), systemRole: false, ...wanted }
  subject.roles.push(assignment)
  return json(show(installation, assignment))
}

export function changeAssignment(
  installation: Installation,
  caller: OpenspecimenUser,
  subject: OpenspecimenUser,
  assignmentId: number,
  body: string,
): SimulatorAnswer {
  requireInstituteAdmin(caller, subject.instituteName)
  const before = assignmentById(subject, assignmentId)
  const after = { id: before.id, systemRole: before.systemRole, ...parse(installation, subject, body) }
  subject.roles = subject.roles.map((assignment) => (assignment === before ? after : assignment))
  return json(show(installation, after))
}

export function removeAssignment(
  installation: Installation,
  caller: OpenspecimenUser,
  subject: OpenspecimenUser,
  assignmentId: number,
): SimulatorAnswer {
  requireInstituteAdmin(caller, subject.instituteName)
  const assignment = assignmentById(subject, assignmentId)
  subject.roles = subject.roles.filter((other) => other !== assignment)
  return json(show(installation, assignment))
}

/** Without a check; a test's hand. */
export function addAssignment(
  installation: Installation,
  subject: OpenspecimenUser,
  grant: { role: string; site?: string; collectionProtocol?: string; systemRole?: boolean },
): RoleAssignment {
  const assignment = { systemRole: false, ...grant, id: installation.state.nextId() }
  subject.roles.push(assignment)
  return assignment
}

function assignmentById(subject: OpenspecimenUser, id: number): RoleAssignment {
  const assignment = subject.roles.find((other) => other.id === id)
  if (assignment === undefined) throw refusal('RBAC_SUBJECT_ROLE_NOT_FOUND')
  return assignment
}

function parse({ directory, knobs }: Installation, subject: OpenspecimenUser, body: string) {
  const input = parseMembers(body)
  const part = (name: string) => members(input.get(name) ?? {})
  const askedRole = textOf(part('role'), 'name')
  if (askedRole === undefined) throw refusal('RBAC_ROLE_NAME_REQUIRED')
  const role = rowNamed(directory.roles, askedRole, knobs.database)?.name
  if (role === undefined) throw refusal('RBAC_ROLE_NOT_FOUND')

  const site = named(
    [...directory.sites.values()],
    idOf(part('site'), 'id'),
    textOf(part('site'), 'name'),
    (row) => row.name,
  )
  if (site === 'unknown') throw refusal('SITE_NOT_FOUND')
  if (site !== undefined && site.instituteName !== subject.instituteName) throw refusal('RBAC_INV_SITE_USER')

  const wanted = part('collectionProtocol')
  const title = textOf(wanted, 'shortTitle') ?? textOf(wanted, 'title')
  const protocols = [...directory.collectionProtocols.values()]
  const shown = (row: { title: string; shortTitle: string }) => (wanted.has('shortTitle') ? row.shortTitle : row.title)
  const protocol = named(protocols, idOf(wanted, 'id'), title, shown)
  if (protocol === 'unknown') throw refusal('CP_NOT_FOUND')
  if (protocol !== undefined && site !== undefined && !protocol.sites.includes(site.name))
    throw refusal('RBAC_INV_CP_SITE')
  const isInInstitute = protocol?.sites.some(
    (name) => directory.sites.get(name)?.instituteName === subject.instituteName,
  )
  if (isInInstitute === false) throw refusal('RBAC_INV_CP_USER')
  return {
    role,
    ...(site === undefined ? {} : { site: site.name }),
    ...(protocol === undefined ? {} : { collectionProtocol: protocol.shortTitle }),
  }
}

/** Undefined when neither an id nor a name was sent. */
function named<Row extends { readonly id: number }>(
  rows: readonly Row[],
  id: number | undefined,
  name: string | undefined,
  nameOf: (row: Row) => string,
): Row | 'unknown' | undefined {
  if (id === undefined && name === undefined) return undefined
  return rows.find((row) => (id === undefined ? nameOf(row) === name : row.id === id)) ?? 'unknown'
}

function show({ directory }: Installation, assignment: RoleAssignment) {
  const role = directory.roles.get(assignment.role)
  const site = directory.sites.get(assignment.site ?? '')
  const protocol = directory.collectionProtocols.get(assignment.collectionProtocol ?? '')
  return {
    id: assignment.id,
    role: { id: role?.id, name: assignment.role, description: role?.description },
    site: site === undefined ? null : { id: site.id, name: site.name },
    collectionProtocol:
      protocol === undefined ? null : { id: protocol.id, title: protocol.title, shortTitle: protocol.shortTitle },
    systemRole: assignment.systemRole,
  }
}
