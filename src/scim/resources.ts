/**
 * The SCIM library's resource classes, as its routers want them. They hold no state and never see client input: id and
 * query stay out of the parent constructor (the library's filter parser sits there), and every method goes to our engine,
 * which returns ready text.
 */
import SCIMMY from 'scimmy'
import type { RoutedContext, ScimContext } from './context.ts'
import { createGroup, deleteGroup, getGroup, patchGroup, replaceGroup } from './groups.ts'
import { guard } from './guard.ts'
import { listResources } from './list.ts'
import { createUser, deleteUser, getUser, patchUser, replaceUser } from './users.ts'

/** What one resource type does. */
interface Engine {
  list(context: ScimContext): Promise<string>
  get(context: ScimContext, id: string): Promise<string>
  create(context: ScimContext): Promise<string>
  replace(context: ScimContext, id: string): Promise<string>
  /** Undefined: 204. */
  patch(context: ScimContext, id: string): Promise<string | undefined>
  remove(context: ScimContext, id: string): Promise<void>
}

/** The library's types know its own schema objects only; ours hand text through. */
const LibraryResource = SCIMMY.Types.Resource as unknown as new () => object

type ResourceClass = new (idOrQuery?: unknown) => object

function resourceClass(endpoint: string, schema: typeof SCIMMY.Types.Schema, engine: Engine): ResourceClass {
  return class extends LibraryResource {
    static get endpoint(): string {
      return endpoint
    }
    static get schema(): typeof SCIMMY.Types.Schema {
      return schema
    }
    /** The routers set the base path with every request; kept in a static, it would give one connection another's locations. */
    static basepath(): string {
      return ''
    }
    readonly #id: string | undefined
    /** Item routes give the id, collection routes the query. */
    constructor(idOrQuery?: unknown) {
      super()
      this.#id = typeof idOrQuery === 'string' ? idOrQuery : undefined
    }
    read(context: RoutedContext): Promise<string> {
      const id = this.#id
      return guard(context.keepProblem, () => (id === undefined ? engine.list(context) : engine.get(context, id)))
    }
    write(_body: unknown, context: RoutedContext): Promise<string> {
      const id = this.#id
      return guard(context.keepProblem, () => (id === undefined ? engine.create(context) : engine.replace(context, id)))
    }
    patch(_body: unknown, context: RoutedContext): Promise<string | undefined> {
      return guard(context.keepProblem, () => engine.patch(context, this.#id ?? ''))
    }
    dispose(context: RoutedContext): Promise<void> {
      return guard(context.keepProblem, () => engine.remove(context, this.#id ?? ''))
    }
  }
}

const User = resourceClass('/Users', SCIMMY.Schemas.User, {
  list: (context) => listResources(context, 'User'),
  get: getUser,
  create: createUser,
  replace: replaceUser,
  patch: patchUser,
  remove: deleteUser,
})
const Group = resourceClass('/Groups', SCIMMY.Schemas.Group, {
  list: (context) => listResources(context, 'Group'),
  get: getGroup,
  create: createGroup,
  replace: replaceGroup,
  patch: patchGroup,
  remove: deleteGroup,
})

let areDeclared = false

/** Once a process, before the library's router is made: it reads the declared resources then. */
export function declareResources(): void {
  if (areDeclared) return
  areDeclared = true
  for (const [name, resource] of [
    ['User', User],
    ['Group', Group],
  ] as const) {
    SCIMMY.Resources.declare(resource as unknown as typeof SCIMMY.Types.Resource, name)
  }
}
