/** A user as answers show it: whole (`domainName`), and as a row of a list (`domain`). Absent values are left out. */
import type { Directory } from './directory.ts'
import type { OpenspecimenKnobs, OpenspecimenState, OpenspecimenUser } from './state.ts'

export interface Installation {
  readonly state: OpenspecimenState
  readonly directory: Directory
  readonly knobs: OpenspecimenKnobs
}

export function showUser({ directory, knobs }: Installation, user: OpenspecimenUser) {
  return {
    id: user.id,
    firstName: user.firstName,
    lastName: user.lastName,
    emailAddress: user.emailAddress,
    domainName: user.domainName,
    loginName: user.loginName,
    instituteId: directory.institutes.get(user.instituteName)?.id,
    instituteName: user.instituteName,
    primarySite: user.primarySite,
    type: user.type,
    phoneNumber: user.phoneNumber,
    manageForms: user.manageForms,
    manageWfs: user.manageWfs,
    managePrintJobs: user.managePrintJobs,
    dnd: user.dnd,
    apiUser: user.apiUser,
    ipRange: user.ipRange,
    defaultPrinter: user.defaultPrinter,
    downloadLabelsPrintFile: user.downloadLabelsPrintFile,
    address: user.address,
    timeZone: user.timeZone,
    creationDate: showDate(knobs, user.createdAt),
    activityStatus: user.activityStatus,
  }
}

export function showSummary({ directory, knobs }: Installation, user: OpenspecimenUser) {
  return {
    id: user.id,
    type: user.type,
    firstName: user.firstName,
    lastName: user.lastName,
    loginName: user.loginName,
    domain: user.domainName,
    emailAddress: user.emailAddress,
    instituteId: directory.institutes.get(user.instituteName)?.id,
    instituteName: user.instituteName,
    primarySite: user.primarySite,
    admin: user.type === 'SUPER',
    instituteAdmin: user.type === 'INSTITUTE',
    manageForms: user.manageForms,
    creationDate: showDate(knobs, user.createdAt),
    activityStatus: user.activityStatus,
  }
}

function showDate(knobs: OpenspecimenKnobs, ms: number): number | string {
  return knobs.creationDate === 'epoch' ? ms : new Date(ms).toISOString()
}
