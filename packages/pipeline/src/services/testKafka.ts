import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Service, Supervisor, until } from '@offstream/runtime'
import { execa } from 'execa'
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  type Admin,
  Kafka,
  ResourcePatternTypes,
} from 'kafkajs'
import { assetPath } from '../project/assets.ts'
import { ensureRuntimes } from '../runtimes/distributions.ts'
import { javaEnvironment } from '../runtimes/environment.ts'
import { type ClusterAddress, localCluster } from '../topic/cluster.ts'
import { makeCertificates, type TestCertificate } from './testCertificates.ts'

/**
 * A broker for one test file, with three listeners: an open one, one with TLS and a password, and one with client
 * certificates. A topic with an ACL is denied to all other users; the users of the open listener may do everything.
 */
export interface TestKafka extends AsyncDisposable {
  /** `host:port` of the open listener. */
  readonly broker: string
  /** The same as a cluster. */
  readonly cluster: ClusterAddress
  /**
   * `host:port` of the listener that requires TLS and a login: PLAIN and SCRAM with a password, user `mirror`, or
   * OAUTHBEARER with a token that is not signed. When the token expires, the broker closes the connection.
   */
  readonly secureBroker: string
  readonly password: string
  /** `host:port` of the listener that requires TLS and a client certificate. */
  readonly mutualBroker: string
  /** The authority that signed the certificates of the broker and of the client. */
  readonly certificates: TestCertificates
  readonly directory: string
  readonly java: string
  readonly classPath: string
  /** Gives a user the only ACL of a topic, so that others are denied. */
  readonly allowOnly: (user: string, topic: string) => Promise<void>
  /** Deletes a topic, if it exists. */
  readonly deleteTopic: (topic: string) => Promise<void>
  /** A new client, which logs nothing. */
  readonly client: () => Kafka
}

/** The PEM files of a client. */
interface TestCertificates extends TestCertificate {
  readonly caFile: string
}

/** Starts offstream's version of Kafka on free ports, in a temporary folder, without ZooKeeper. */
export const startKafka = async ({
  password = 'open-sesame',
}: {
  readonly password?: string
} = {}): Promise<TestKafka> => {
  const directory = await mkdtemp(join(tmpdir(), 'offstream-kafka-'))
  const { java, kafkaLibs } = await ensureRuntimes({
    environment: process.env,
    ivySettings: assetPath(directory, 'config', 'ivysettings.xml'),
  })
  const [plain, secure, mutual, controller] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ]
  const classPath = join(kafkaLibs, '*')
  const certificates = await certificatesIn(directory)
  const properties = join(directory, 'kafka.properties')
  await writeFile(properties, propertiesOf({ directory, password, plain, secure, mutual, controller }))
  const format = [
    // With `=`, because an id may begin with a dash.
    ...['kafka.tools.StorageTool', 'format', '--config', properties, `--cluster-id=${clusterId()}`],
    ...['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap(kind => [
      '--add-scram',
      `${kind}=[name=mirror,password=${password}]`,
    ]),
  ]
  await execa(java, ['-cp', classPath, ...format])
  const broker = `127.0.0.1:${plain}`
  const client = () => new Kafka({ brokers: [broker], logLevel: 0, retry: { retries: 2 } })
  const supervisor = new Supervisor({ directory: join(directory, 'services'), onEvent: () => undefined })
  const close = async () => {
    await supervisor.stop()
    await rm(directory, { recursive: true, force: true })
  }
  try {
    await supervisor.start([service({ java, classPath, directory, properties, port: plain, client })])
  } catch (error) {
    await close()
    throw error
  }
  return {
    ...{ broker, cluster: localCluster(broker), secureBroker: `127.0.0.1:${secure}` },
    ...{ mutualBroker: `127.0.0.1:${mutual}`, password, certificates, directory, java, classPath, client },
    allowOnly: (user, topic) => allowOnly(client(), user, topic),
    deleteTopic: topic => deleteTopic(client(), topic),
    [Symbol.asyncDispose]: close,
  }
}

const service = (options: {
  readonly java: string
  readonly classPath: string
  readonly directory: string
  readonly properties: string
  readonly port: number
  readonly client: () => Kafka
}): Service => ({
  name: 'kafka',
  command: {
    file: options.java,
    args: [
      '-Xmx512m',
      '-XX:TieredStopAtLevel=1',
      '-cp',
      options.classPath,
      'kafka.Kafka',
      options.properties,
    ],
    env: javaEnvironment(options.directory),
    cwd: options.directory,
  },
  needs: [],
  port: options.port,
  logFile: join(options.directory, 'kafka.log'),
  ready: () => withAdmin(options.client(), async admin => void (await admin.listTopics())),
  startTimeoutMs: 60_000,
  stopTimeoutMs: 20_000,
})

const propertiesOf = (at: {
  readonly directory: string
  readonly password: string
  readonly plain: number
  readonly secure: number
  readonly mutual: number
  readonly controller: number
}): string => `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${at.controller}
controller.listener.names=CONTROLLER
listeners=OPEN://127.0.0.1:${at.plain},SECURE://127.0.0.1:${at.secure},MUTUAL://127.0.0.1:${at.mutual},CONTROLLER://127.0.0.1:${at.controller}
advertised.listeners=OPEN://127.0.0.1:${at.plain},SECURE://127.0.0.1:${at.secure},MUTUAL://127.0.0.1:${at.mutual}
listener.security.protocol.map=OPEN:PLAINTEXT,SECURE:SASL_SSL,MUTUAL:SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=OPEN
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
listener.name.secure.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_mirror="${at.password}";
listener.name.secure.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.secure.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.secure.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;
listener.name.secure.oauthbearer.connections.max.reauth.ms=3600000
ssl.keystore.type=PEM
ssl.keystore.location=${join(at.directory, 'broker.pem')}
ssl.truststore.type=PEM
ssl.truststore.location=${join(at.directory, 'ca.pem')}
listener.name.mutual.ssl.client.auth=required
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=true
log.dirs=${join(at.directory, 'data')}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
log.cleaner.dedupe.buffer.size=33554432
`

/** The certificate of the broker has only the name 127.0.0.1, and its PEM file also has its key. */
const certificatesIn = async (directory: string): Promise<TestCertificates> => {
  const { caFile, of } = await makeCertificates(directory, { kafka: 'IP:127.0.0.1', client: 'DNS:client' })
  const parts = await Promise.all([of.kafka.keyFile, of.kafka.certFile, caFile].map(file => readFile(file)))
  await writeFile(join(directory, 'broker.pem'), Buffer.concat(parts))
  return { caFile, ...of.client }
}

/** Connects as administrator, and disconnects also after an error. */
const withAdmin = async (client: Kafka, work: (admin: Admin) => Promise<void>): Promise<void> => {
  const admin = client.admin()
  try {
    await admin.connect()
    await work(admin)
  } finally {
    await admin.disconnect()
  }
}

const deleteTopic = (client: Kafka, topic: string): Promise<void> =>
  withAdmin(client, async admin => {
    const exists = async () => (await admin.listTopics()).includes(topic)
    if (await exists()) await admin.deleteTopics({ topics: [topic] })
    await until(
      async () => {
        if (await exists()) throw new Error(`${topic} still exists`)
      },
      { what: 'the deletion of the topic', timeoutMs: 10_000 },
    )
  })

const allowOnly = (client: Kafka, user: string, topic: string): Promise<void> =>
  withAdmin(client, async admin => {
    await admin.createAcls({
      acl: [
        {
          resourceType: AclResourceTypes.TOPIC,
          resourceName: topic,
          resourcePatternType: ResourcePatternTypes.LITERAL,
          principal: `User:${user}`,
          host: '*',
          operation: AclOperationTypes.ALL,
          permissionType: AclPermissionTypes.ALLOW,
        },
      ],
    })
  })

const clusterId = (): string => Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url')

/** A port that no process listens on. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(address),
      )
    })
  })
