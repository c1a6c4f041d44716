import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assetPath, ensureRuntimes, type Runtimes } from '@offstream/pipeline'
import { freePort } from '@offstream/pipeline/testKafka'
import { type Service, Supervisor } from '@offstream/runtime'
import { sparkEnvironment } from './sparkCluster.ts'
import { testJars } from './testJars.ts'

/** A Spark Thrift server for one test, as an administrator starts it: with a Hive metastore and without offstream. */
export interface TestSqlServer extends AsyncDisposable {
  readonly port: number
}

/**
 * Starts an LDAP directory with one user, and the server, which checks passwords with the directory.
 * @param catalog Spark's settings of the catalog with the tables
 */
export const startSqlServer = async (
  catalog: Readonly<Record<string, string>>,
  user: { readonly name: string; readonly password: string },
): Promise<TestSqlServer> => {
  const folder = await mkdtemp(join(tmpdir(), 'offstream-sql-'))
  const runtimes = await ensureRuntimes({
    environment: process.env,
    ivySettings: assetPath(folder, 'config', 'ivysettings.xml'),
  })
  const [port, ldapPort] = [await freePort(), await freePort()]
  await mkdir(join(folder, 'conf'))
  await writeFile(join(folder, 'conf/hive-site.xml'), hiveSite(port, ldapPort))
  await writeFile(join(folder, 'users.ldif'), ldif(user))
  const supervisor = new Supervisor({ directory: join(folder, 'services'), onEvent: () => undefined })
  const close = async () => {
    await supervisor.stop()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await supervisor.start([
      await directory(folder, runtimes, ldapPort),
      thrift(folder, runtimes, port, catalog),
    ])
  } catch (error) {
    await close()
    throw error
  }
  return { port, [Symbol.asyncDispose]: close }
}

const people = 'ou=people,dc=example,dc=org'

const ldif = ({ name, password }: { readonly name: string; readonly password: string }): string => `\
dn: dc=example,dc=org
objectClass: domain
dc: example

dn: ${people}
objectClass: organizationalUnit
ou: people

dn: uid=${name},${people}
objectClass: inetOrgPerson
uid: ${name}
cn: ${name}
sn: ${name}
userPassword: ${password}
`

/** Spark's authentication provider reads the settings of LDAP only from this file. */
const hiveSite = (port: number, ldapPort: number): string => {
  const properties = {
    'hive.server2.thrift.bind.host': '127.0.0.1',
    'hive.server2.thrift.port': port,
    'hive.server2.authentication': 'LDAP',
    'hive.server2.authentication.ldap.url': `ldap://127.0.0.1:${ldapPort}`,
    'hive.server2.authentication.ldap.userDNPattern': `uid=%s,${people}`,
  }
  const lines = Object.entries(properties).map(
    ([name, value]) => `<property><name>${name}</name><value>${value}</value></property>`,
  )
  return `<configuration>\n${lines.join('\n')}\n</configuration>\n`
}

const directory = async (folder: string, runtimes: Runtimes, port: number): Promise<Service> => ({
  name: 'ldap',
  command: {
    file: runtimes.java,
    args: [
      ...[
        '-cp',
        join(await testJars('ldap', runtimes), '*'),
        'com.unboundid.ldap.listener.InMemoryDirectoryServerTool',
      ],
      ...['--port', String(port), '--baseDN', 'dc=example,dc=org', '--ldifFile', join(folder, 'users.ldif')],
    ],
    env: sparkEnvironment(folder, runtimes),
    cwd: folder,
  },
  needs: [],
  port,
  logFile: join(folder, 'ldap.log'),
  ready: () => connected(port),
  startTimeoutMs: 30_000,
  stopTimeoutMs: 10_000,
})

const thrift = (
  folder: string,
  runtimes: Runtimes,
  port: number,
  catalog: Readonly<Record<string, string>>,
): Service => ({
  name: 'thrift',
  command: {
    file: join(runtimes.sparkHome, 'bin/spark-submit'),
    args: [
      ...['--class', 'org.apache.spark.sql.hive.thriftserver.HiveThriftServer2', '--master', 'local[1]'],
      ...['--driver-class-path', join(runtimes.connectors, '*'), '--conf', 'spark.ui.enabled=false'],
      ...Object.entries(catalog).flatMap(([name, value]) => ['--conf', `${name}=${value}`]),
      'spark-internal',
    ],
    env: {
      ...sparkEnvironment(folder, runtimes),
      SPARK_CONF_DIR: join(folder, 'conf'),
      // The path of the catalog has letters beyond ASCII.
      LC_ALL: 'C.UTF-8',
    },
    cwd: folder,
  },
  needs: ['ldap'],
  port,
  logFile: join(folder, 'thrift.log'),
  ready: () => connected(port),
  startTimeoutMs: 180_000,
  stopTimeoutMs: 30_000,
})

/** Throws at once if nothing listens on this port of this machine. */
const connected = async (port: number): Promise<void> => {
  const socket = connect({ host: '127.0.0.1', port })
  await once(socket, 'connect')
  socket.destroy()
}
