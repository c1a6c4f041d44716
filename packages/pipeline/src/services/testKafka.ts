import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Service, Supervisor } from '@offstream/runtime'
import { execa } from 'execa'
import { Kafka } from 'kafkajs'
import { assetPath } from '../project/assets.ts'
import { ensureRuntimes } from '../runtimes/distributions.ts'
import { javaEnvironment } from '../runtimes/environment.ts'

/** A broker for one test file, with an open listener and one with TLS and a password. */
export interface TestKafka extends AsyncDisposable {
  /** `host:port` of the open listener. */
  readonly broker: string
  /** `host:port` of the listener that requires TLS and a password: PLAIN and SCRAM, user `mirror`. */
  readonly secureBroker: string
  readonly password: string
  /** The certificate of the authority that signed the broker's certificate. */
  readonly caFile: string
  readonly directory: string
  readonly java: string
  readonly classPath: string
  /** A new client, which logs nothing. */
  readonly client: () => Kafka
}

const password = 'open-sesame'

/** Starts offstream's version of Kafka on free ports, in a temporary folder, without ZooKeeper. */
export const startKafka = async (): Promise<TestKafka> => {
  const directory = await mkdtemp(join(tmpdir(), 'offstream-kafka-'))
  const { java, kafkaLibs } = await ensureRuntimes({
    environment: process.env,
    ivySettings: assetPath(directory, 'config', 'ivysettings.xml'),
  })
  const [plain, secure, controller] = [await freePort(), await freePort(), await freePort()]
  const classPath = join(kafkaLibs, '*')
  const caFile = await makeCertificate(java, directory)
  const properties = join(directory, 'kafka.properties')
  await writeFile(properties, propertiesOf({ directory, plain, secure, controller }))
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
    ...{ broker, secureBroker: `127.0.0.1:${secure}`, password, caFile, directory, java, classPath, client },
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
  ready: async () => {
    const admin = options.client().admin()
    try {
      await admin.connect()
      await admin.listTopics()
    } finally {
      await admin.disconnect()
    }
  },
  startTimeoutMs: 60_000,
  stopTimeoutMs: 20_000,
})

const propertiesOf = (at: {
  readonly directory: string
  readonly plain: number
  readonly secure: number
  readonly controller: number
}): string => `
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${at.controller}
controller.listener.names=CONTROLLER
listeners=OPEN://127.0.0.1:${at.plain},SECURE://127.0.0.1:${at.secure},CONTROLLER://127.0.0.1:${at.controller}
advertised.listeners=OPEN://127.0.0.1:${at.plain},SECURE://127.0.0.1:${at.secure}
listener.security.protocol.map=OPEN:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=OPEN
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.secure.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_mirror="${password}";
listener.name.secure.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.secure.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.location=${join(at.directory, 'kafka.p12')}
ssl.keystore.password=changeit
ssl.keystore.type=PKCS12
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

/** Makes a self-signed certificate, in the broker's key store and as a PEM file. */
const makeCertificate = async (java: string, directory: string): Promise<string> => {
  const keytool = java.includes('/') ? join(dirname(java), 'keytool') : 'keytool'
  const store = ['-keystore', join(directory, 'kafka.p12'), '-storetype', 'PKCS12', '-storepass', 'changeit']
  await mkdir(directory, { recursive: true })
  await execa(keytool, [
    ...[
      '-genkeypair',
      '-alias',
      'kafka',
      '-keyalg',
      'EC',
      '-dname',
      'CN=127.0.0.1',
      '-ext',
      'SAN=IP:127.0.0.1',
    ],
    ...['-validity', '2', ...store],
  ])
  const caFile = join(directory, 'ca.pem')
  await execa(keytool, ['-exportcert', '-rfc', '-alias', 'kafka', '-file', caFile, ...store])
  return caFile
}

const clusterId = (): string => Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url')

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(address),
      )
    })
  })
