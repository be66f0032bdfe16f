import { Problem } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import type { OperatedConnection, OperatedStore } from '../operator/connection.ts'
import { searchPeople } from '../operator/people-search.ts'
import { parseDocument } from '../provision/document.ts'
import { explainUser } from '../provision/explain-user.ts'
import type { ConsoleOptions } from './console.ts'
import type { Page } from './view.ts'
import { chosenConnection, type Visit, visibleTo } from './visit.ts'

interface Explained {
  readonly document: JsonObject
  readonly groups: readonly { readonly displayName: string; readonly externalId: string | undefined }[]
}

const example = {
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
  userName: 'ada@uni.example',
  externalId: '00u1',
  name: { givenName: 'Ada', familyName: 'Lovelace' },
  emails: [{ type: 'work', value: 'ada@uni.example', primary: true }],
  active: true,
}

/** What the mapping makes of a person who is there, or of a pasted one. Reads the store at most, and writes nothing. */
export function createMapping({ connections, store }: ConsoleOptions): (visit: Visit) => Promise<Page> {
  return async (visit) => {
    const connection = chosenConnection(visit, connections)
    const person = (visit.query.get('person') ?? '').trim()
    const pasted = visit.form.get('scim')
    let problem: string | undefined
    let explained: Explained | undefined
    try {
      if (pasted !== undefined) explained = { document: connection.toDocument(pasted), groups: [] }
      else if (person !== '') explained = await storedPerson(store, connection, person)
    } catch (error) {
      // The same words that the identity provider would get.
      if (!(error instanceof Problem)) throw error
      problem = error.message
    }
    return {
      title: 'Mapping',
      template: 'mapping',
      section: 'mapping',
      content: {
        connection: connection.name,
        names: visibleTo(visit, connections).map(({ name }) => name),
        platform: connection.provision.connection.facts.title,
        person,
        problem,
        pasted: pasted ?? JSON.stringify(explained?.document ?? example, undefined, 2),
        explanation: explained && shown(connection, explained),
      },
    }
  }
}

async function storedPerson(store: OperatedStore, { name }: OperatedConnection, text: string): Promise<Explained> {
  const found = (await searchPeople(store, name, text)).people
  const [first] = found
  const user =
    (await store.getUser(name, text)) ?? (first && found.length === 1 ? await store.getUser(name, first.id) : undefined)
  if (user === undefined) {
    throw new Problem(
      404,
      undefined,
      found.length === 0 ? 'Nobody fits.' : 'Several people fit: write the whole userName.',
    )
  }
  const document = parseDocument(user.resource.json)
  const { id } = user.resource
  return { document, groups: (await store.membershipsOf(name, [id])).get(id) ?? [] }
}

function shown({ provision }: OperatedConnection, { document, groups }: Explained) {
  const { status, grants, ...rest } = explainUser(provision.connection, document, groups)
  return {
    ...rest,
    status: Object.entries(status).map(([name, value]) => ({ name, value })),
    grants: grants.map((grant) => JSON.stringify(grant)),
  }
}
