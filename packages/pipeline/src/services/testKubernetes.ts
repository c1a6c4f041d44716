import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { makeCertificates } from './testCertificates.ts'

/**
 * A stand-in for the API server of Kubernetes, because no cluster can run here. It keeps the objects that clients create, and
 * starts nothing. It responds to the requests of Spark and of offstream, to others with status 404.
 */
export interface TestKubernetes extends AsyncDisposable {
  /** `https://host:port` */
  readonly address: string
  readonly caFile: string
  /** The file with the only token that the server accepts. */
  readonly tokenFile: string
  readonly token: string
  /** The objects that clients created, as they sent them. */
  readonly created: readonly CreatedObject[]
  /** The objects that exist now, as `<namespace>/<resource>/<name>`. */
  readonly existing: () => readonly string[]
  /** What clients did, such as `create pods`, and requests that the server does not know. */
  readonly used: ReadonlySet<string>
  /** The clients of this server have all permissions except these. */
  readonly denied: Set<string>
}

/** An object that a client created. */
export interface CreatedObject {
  readonly namespace: string
  readonly resource: string
  /** The JSON of the client. */
  readonly body: unknown
}

const Manifest = z.looseObject({
  metadata: z.looseObject({ name: z.string(), labels: z.record(z.string(), z.string()).default({}) }),
})
type Manifest = z.infer<typeof Manifest>

const Review = z.object({
  spec: z.object({ resourceAttributes: z.object({ verb: z.string(), resource: z.string() }) }),
})

/** Starts the server on a free port, with a certificate of its own authority. */
export const startKubernetes = async (): Promise<TestKubernetes> => {
  const folder = await mkdtemp(join(tmpdir(), 'offstream-kubernetes-'))
  const { caFile, of } = await makeCertificates(folder, { server: 'IP:127.0.0.1' })
  const [token, tokenFile] = [randomUUID(), join(folder, 'token')]
  await writeFile(tokenFile, token, { mode: 0o600 })
  const api = new Api(token)
  const server = createServer(
    { cert: await readFile(of.server.certFile), key: await readFile(of.server.keyFile) },
    (request, response) => void api.respond(request, response).catch(error => response.destroy(error)),
  ).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ caFile, tokenFile, token, created: api.created, used: api.used, denied: api.denied },
    existing: () => [...api.objects.keys()].toSorted(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A request for objects of one resource in one namespace. */
interface ObjectRequest {
  readonly method: string
  readonly namespace: string
  readonly resource: string
  readonly name: string | undefined
  readonly query: URLSearchParams
}

const verbs: Readonly<Record<string, string>> = {
  ...{ POST: 'create', GET: 'list', 'GET one': 'get', PATCH: 'patch', PUT: 'update' },
  ...{ DELETE: 'deletecollection', 'DELETE one': 'delete' },
}

class Api {
  readonly created: CreatedObject[] = []
  readonly used = new Set<string>()
  readonly denied = new Set<string>()
  /** By `<namespace>/<resource>/<name>`. */
  readonly objects = new Map<string, Manifest>()
  readonly #watchers = new Map<ServerResponse, string>()
  readonly #token: string
  #version = 0

  constructor(token: string) {
    this.#token = token
  }

  readonly respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request)
    const { pathname, searchParams: query } = new URL(request.url ?? '', 'https://any')
    const [, namespace, resource, name] =
      /^\/api\/v1\/namespaces\/([^/]+)\/([^/]+)(?:\/([^/]+))?$/.exec(pathname) ?? []
    const method = request.method ?? ''
    const isKnown = request.headers.authorization === `Bearer ${this.#token}`
    // Spark's client first tries a web socket. Without one it uses a response that stays open.
    if (request.headers.upgrade !== undefined) return void response.writeHead(503).end()
    if (isKnown && namespace !== undefined && resource !== undefined && query.get('watch') === 'true')
      return this.#watch(`${namespace}/${resource}/`, response)
    const [status, json] = !isKnown
      ? [401, failure(401, 'Unauthorized')]
      : namespace === undefined || resource === undefined
        ? this.#answerOther(method, pathname, body)
        : this.#answer({ method, namespace, resource, name, query }, body)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json))
  }

  #answerOther(method: string, path: string, body: unknown): [status: number, json: unknown] {
    if (path === '/version') return [200, { major: '1', minor: '34', gitVersion: 'v1.34.0' }]
    if (path === '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews') {
      const { verb, resource } = Review.parse(body).spec.resourceAttributes
      const allowed = !this.denied.has(`${verb} ${resource}`)
      return [201, { ...(body as object), status: { allowed } }]
    }
    this.used.add(`${method} ${path}`)
    return [404, failure(404, 'NotFound')]
  }

  #answer(request: ObjectRequest, body: unknown): [status: number, json: unknown] {
    const { method, resource, name } = request
    const verb = verbs[`${method}${name === undefined ? '' : ' one'}`] ?? verbs[method] ?? method
    this.used.add(`${verb} ${resource}`)
    if (this.denied.has(`${verb} ${resource}`))
      return [403, failure(403, 'Forbidden', `cannot ${verb} ${resource}`)]
    const selected = this.#select(request)
    if (verb === 'create') return [201, this.#create(request, body)]
    if (verb === 'list') return [200, this.#list(selected)]
    const [first] = selected
    if (first === undefined) return [404, failure(404, 'NotFound')]
    if (verb === 'get') return [200, first[1]]
    for (const [key] of selected) this.#delete(key)
    return [200, { kind: 'Status', apiVersion: 'v1', status: 'Success' }]
  }

  #list(selected: readonly (readonly [string, Manifest])[]): unknown {
    const metadata = { resourceVersion: String(this.#version) }
    return { kind: 'List', apiVersion: 'v1', metadata, items: selected.map(([, object]) => object) }
  }

  #create({ namespace, resource }: ObjectRequest, body: unknown): Manifest {
    this.created.push({ namespace, resource, body })
    const sent = Manifest.parse(body)
    this.#version += 1
    const metadata = {
      ...sent.metadata,
      ...{ namespace, uid: randomUUID(), resourceVersion: String(this.#version) },
      creationTimestamp: new Date().toISOString().replace(/\.\d+/, ''),
    }
    const object = { ...sent, metadata, ...(resource === 'pods' ? { status: { phase: 'Pending' } } : {}) }
    const key = `${namespace}/${resource}/${metadata.name}`
    this.objects.set(key, object)
    this.#publish(key, 'ADDED', object)
    return object
  }

  #delete(key: string): void {
    const object = this.objects.get(key)
    this.objects.delete(key)
    if (object !== undefined) this.#publish(key, 'DELETED', object)
  }

  #watch(prefix: string, response: ServerResponse): void {
    this.used.add(`watch ${prefix.split('/')[1]}`)
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
    this.#watchers.set(response, prefix)
    response.on('close', () => this.#watchers.delete(response))
  }

  #publish(key: string, type: string, object: Manifest): void {
    for (const [response, prefix] of this.#watchers)
      if (key.startsWith(prefix)) response.write(`${JSON.stringify({ type, object })}\n`)
  }

  /** The object with a name, or the objects with labels such as `a=b,c in (d,e)`. */
  #select({ namespace, resource, name, query }: ObjectRequest): readonly (readonly [string, Manifest])[] {
    const labels = query.get('labelSelector')?.split(/,(?![^(]*\))/) ?? []
    return [...this.objects].filter(
      ([key, { metadata }]) =>
        key.startsWith(`${namespace}/${resource}/${name ?? ''}`) &&
        (name === undefined || metadata.name === name) &&
        labels.every(label => isLabelled(metadata.labels, label)),
    )
  }
}

const isLabelled = (labels: Readonly<Record<string, string>>, selector: string): boolean => {
  const [, name = '', one, several = ''] = /^(.+?)(?:==?(.*)| in \((.*)\))$/.exec(selector.trim()) ?? []
  const values = one === undefined ? several.split(',').map(value => value.trim()) : [one]
  return values.includes(labels[name] ?? '')
}

const failure = (code: number, reason: string, message = reason): unknown => ({
  ...{ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code },
})

const bodyOf = async (request: IncomingMessage): Promise<unknown> => {
  let text = ''
  for await (const part of request.setEncoding('utf8')) text += part
  return text === '' ? null : JSON.parse(text)
}
