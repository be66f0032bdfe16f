import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { Deployment } from 'kubernetes-models/apps/v1/Deployment'
import { Job } from 'kubernetes-models/batch/v1/Job'
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import { Namespace } from 'kubernetes-models/v1/Namespace'
import { Service } from 'kubernetes-models/v1/Service'
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount'
import { parse } from 'yaml'
import { z } from 'zod'
import { isJsonObject, type JsonObject } from '../../src/json.ts'
import { root } from '../cli/processes.ts'

const folder = join(root, 'deploy', 'kubernetes')
const {
  resources,
  configMapGenerator,
}: { resources: string[]; configMapGenerator: { name: string; files: string[] }[] } = parse(
  readFileSync(join(folder, 'kustomization.yaml'), 'utf8'),
)

const kinds: ReadonlyMap<string, { readonly prototype: { validate(): void } }> = new Map<
  string,
  { readonly prototype: { validate(): void } }
>([
  ['Deployment', Deployment],
  ['Job', Job],
  ['NetworkPolicy', NetworkPolicy],
  ['PodDisruptionBudget', PodDisruptionBudget],
  ['Namespace', Namespace],
  ['Service', Service],
  ['ServiceAccount', ServiceAccount],
])

/**
 * Paths that Kubernetes' schema does not know. The schema itself lets unknown keys pass, as the server does: a key that the
 * validator never looks at is one that means nothing.
 */
function problemsOf(document: JsonObject): string[] {
  const read = new Set<string>()
  const watched = (value: unknown, path: string): unknown => {
    if (typeof value !== 'object' || value === null) return value
    return new Proxy(value, {
      get(target, key) {
        const inner: unknown = Reflect.get(target, key)
        if (typeof key !== 'string' || typeof inner === 'function') return inner
        read.add(`${path}/${key}`)
        return watched(inner, `${path}/${key}`)
      },
    })
  }
  const kind = kinds.get(String(document.kind))
  if (kind === undefined) return [`no kind ${document.kind}`]
  try {
    kind.prototype.validate.call(watched(document, ''))
  } catch (error) {
    return [String(error)]
  }
  return pathsOf(document, '').filter((path) => !read.has(path))
}

function pathsOf(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [`${path}/${key}`, ...pathsOf(inner, `${path}/${key}`)])
}

function manifest(file: string): JsonObject {
  const document: unknown = parse(readFileSync(join(folder, file), 'utf8'))
  assert.ok(isJsonObject(document))
  return document
}

describe("every manifest is one by Kubernetes' schema", () => {
  for (const file of resources) test(file, () => assert.deepEqual(problemsOf(manifest(file)), []))

  test('a wrong type and a key that nobody knows would be seen', () => {
    const service = manifest('service.yaml')
    assert.match(String(problemsOf({ ...service, spec: { ports: 'none' } })), /ports/)
    assert.deepEqual(problemsOf({ ...service, spec: { selectr: {} } }), ['/spec/selectr'])
  })
})

const podTemplate = z.looseObject({
  metadata: z.looseObject({ labels: z.record(z.string(), z.string()) }),
  spec: z.looseObject({
    serviceAccountName: z.string(),
    automountServiceAccountToken: z.literal(false),
    hostNetwork: z.literal(false).optional(),
    securityContext: z.strictObject({
      runAsNonRoot: z.literal(true),
      runAsUser: z.number().positive(),
      runAsGroup: z.number().positive(),
      fsGroup: z.number().positive(),
      seccompProfile: z.strictObject({ type: z.literal('RuntimeDefault') }),
    }),
    containers: z.array(
      z.looseObject({
        image: z.literal('scim-bridge'),
        securityContext: z.strictObject({
          allowPrivilegeEscalation: z.literal(false),
          readOnlyRootFilesystem: z.literal(true),
          capabilities: z.strictObject({ drop: z.tuple([z.literal('ALL')]) }),
        }),
        resources: z.strictObject({
          requests: z.strictObject({ cpu: z.string(), memory: z.string() }),
          limits: z.strictObject({ memory: z.string() }),
        }),
        volumeMounts: z.array(
          z.looseObject({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().optional() }),
        ),
      }),
    ),
    volumes: z.array(z.looseObject({ name: z.string(), configMap: z.looseObject({ name: z.string() }).optional() })),
  }),
})
const withTemplate = z.looseObject({ spec: z.looseObject({ template: podTemplate }) })

describe('every pod', () => {
  for (const file of ['deployment.yaml', 'migrate.yaml']) {
    const { template } = withTemplate.parse(manifest(file)).spec
    test(`of ${file} is one that the namespace's "restricted" lets in, and writes to no disk`, () => {
      for (const { volumeMounts } of template.spec.containers) {
        const writable = volumeMounts.filter(({ readOnly }) => readOnly !== true)
        assert.deepEqual(
          writable.map(({ mountPath }) => mountPath),
          [],
        )
        const names = template.spec.volumes.map(({ name }) => name)
        for (const { name } of volumeMounts) assert.ok(names.includes(name), name)
      }
      for (const { configMap } of template.spec.volumes)
        if (configMap !== undefined) assert.ok(configMapGenerator.some(({ name }) => name === configMap.name))
      assert.equal(template.spec.serviceAccountName, read('service-account.yaml').metadata.name)
    })
  }

  test('of the Deployment is found by Service, budget, policy and its own selector; the migration is not served', () => {
    const { labels } = withTemplate.parse(manifest('deployment.yaml')).spec.template.metadata
    const migration = withTemplate.parse(manifest('migrate.yaml')).spec.template.metadata.labels
    const fits = (selector: Record<string, string>, has: Record<string, string>) =>
      Object.entries(selector).every(([name, value]) => has[name] === value)
    const served = read('service.yaml').spec.selector
    assert.ok(fits(served, labels) && !fits(served, migration))
    for (const file of ['deployment.yaml', 'pod-disruption-budget.yaml']) {
      const { matchLabels } = read(file).spec.selector
      assert.ok(fits(matchLabels, labels) && !fits(matchLabels, migration), file)
    }
    const { matchLabels } = read('network-policy.yaml').spec.podSelector
    assert.ok(fits(matchLabels, labels) && fits(matchLabels, migration))
  })

  test('of the Deployment is restarted by what /livez says, and gets requests by what /readyz says', () => {
    const [{ livenessProbe, startupProbe, readinessProbe, ports }] =
      read('deployment.yaml').spec.template.spec.containers
    assert.equal(livenessProbe.httpGet.path, '/livez')
    assert.equal(startupProbe.httpGet.path, '/livez')
    assert.equal(readinessProbe.httpGet.path, '/readyz')
    assert.deepEqual(ports, [{ name: 'http', containerPort: 8080 }])
    assert.equal(read('service.yaml').spec.ports[0].targetPort, 'http')
  })
})

/** For looking at; its shape is what the schema says. */
function read(file: string): ReturnType<typeof JSON.parse> {
  return parse(readFileSync(join(folder, file), 'utf8'))
}
