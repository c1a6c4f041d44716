import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { configOf } from '../project/layers.ts'
import { hadoopConfDir, localPath, readHadoopConf } from './hadoopConf.ts'
import { serveOn } from './testServer.ts'
import { activeResourceManager, webServicesOf } from './yarn.ts'

const site = (properties: Readonly<Record<string, string>>): string => `<?xml version="1.0"?>
<configuration>${Object.entries(properties)
  .map(([name, value]) => `<property>\n  <name>${name}</name>\n  <value>${value}</value>\n</property>`)
  .join('')}
<!-- <property><name>commented</name><value>out</value></property> -->
</configuration>`

test('the properties of Hadoop come from its files, a later file wins, and references are replaced', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'offstream-hadoop-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(
    join(folder, 'core-site.xml'),
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Hadoop's form of a reference
    site({ base: 'one', name: '${base}.org', other: 'a &amp; b' }),
  )
  await writeFile(join(folder, 'yarn-site.xml'), site({ base: 'two' }))
  expect(Object.fromEntries(await readHadoopConf(folder, ['core-site.xml', 'yarn-site.xml']))).toEqual({
    ...{ base: 'two', name: 'two.org', other: 'a & b' },
  })
  await expect(readHadoopConf(folder, ['hdfs-site.xml'])).rejects.toMatchObject({ code: 'FILE_MISSING' })
})

test('a relative folder starts at the folder of the project, and local paths then have a scheme', () => {
  const config = configOf(['spark.hadoopConfDir=conf'])
  expect(hadoopConfDir(config, '/project/.offstream')).toBe('/project/conf')
  expect([localPath(config, '/a'), localPath(configOf([]), '/a')]).toEqual(['file:/a', '/a'])
})

test('the web services of YARN follow from its properties, also with high availability and TLS', () => {
  const addresses = (properties: Readonly<Record<string, string>>) =>
    webServicesOf(new Map(Object.entries(properties)))
  const ha = { 'yarn.resourcemanager.ha.enabled': 'true', 'yarn.resourcemanager.ha.rm-ids': 'rm1, rm2' }
  expect([
    addresses({}),
    addresses({ 'yarn.resourcemanager.hostname': 'one' }),
    addresses({ 'yarn.resourcemanager.webapp.address': 'one:18088' }),
    addresses({
      ...{ 'yarn.resourcemanager.hostname': 'one', 'yarn.resourcemanager.webapp.address': '0.0.0.0:8088' },
    }),
    addresses({ 'yarn.http.policy': 'HTTPS_ONLY', 'yarn.resourcemanager.hostname': 'one' }),
    addresses({
      ...ha,
      ...{ 'yarn.resourcemanager.hostname.rm1': 'one', 'yarn.resourcemanager.webapp.address.rm2': 'two:80' },
    }),
  ]).toEqual([
    ['http://localhost:8088'],
    ['http://one:8088'],
    ['http://one:18088'],
    ['http://one:8088'],
    ['https://one:8090'],
    ['http://one:8088', 'http://two:80'],
  ])
})

test('a resource manager that accepts connections and never responds does not hide the active one', async () => {
  const xml = (url = '') =>
    url.endsWith('/metrics')
      ? '<clusterMetrics><activeNodes>1</activeNodes><totalMB>2048</totalMB><totalVirtualCores>2</totalVirtualCores><availableMB>1024</availableMB><availableVirtualCores>1</availableVirtualCores></clusterMetrics>'
      : '<clusterInfo><state>STARTED</state><haState>ACTIVE</haState><resourceManagerVersion>3.4.2</resourceManagerVersion></clusterInfo>'
  await using silent = await serveOn('127.0.0.1', 0, createServer())
  const responds = createServer(({ url }, response) => void response.end(xml(url)))
  await using active = await serveOn('127.0.0.1', 0, responds)
  const folder = await mkdtemp(join(tmpdir(), 'offstream-yarn-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'core-site.xml'), site({}))
  await writeFile(
    join(folder, 'yarn-site.xml'),
    site({
      ...{ 'yarn.resourcemanager.ha.enabled': 'true', 'yarn.resourcemanager.ha.rm-ids': 'rm1,rm2' },
      'yarn.resourcemanager.webapp.address.rm1': `127.0.0.1:${silent.port}`,
      'yarn.resourcemanager.webapp.address.rm2': `127.0.0.1:${active.port}`,
    }),
  )
  const config = configOf(['spark.master=yarn', `spark.hadoopConfDir=${folder}`])
  expect(await activeResourceManager(config, '/project/.offstream')).toMatchObject({
    address: `http://127.0.0.1:${active.port}`,
    nodes: 1,
  })
})
