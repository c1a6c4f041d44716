import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { listCharts, sourceOf } from '../charts/charts.ts'
import { assetPath } from './assets.ts'
import { Config } from './config.ts'
import { initProject } from './init.ts'
import { loadProject } from './project.ts'

const emptyFolder = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'offstream-init-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return directory
}

const filesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()

test('a new project has the default settings, its contact, and its own copy of every file that it can replace', async () => {
  const folder = join(await emptyFolder(), 'new')
  const { files, unchanged } = await initProject({ folder, contact: 'me: "x" # y', bare: false })

  const { config, origins } = await loadProject({ from: folder, environment: {} })
  expect([files, unchanged]).toEqual([await filesIn(folder), []])
  expect(config).toEqual(Config.parse({ web: { contact: 'me: "x" # y' } }))
  expect(origins.get('web.contact')?.kind).toBe('file')
  expect((await listCharts(assetPath(folder, 'charts'))).map(({ name }) => name)).toEqual([
    'arrivals-over-time',
    'brands-by-processing',
    'completeness-by-country',
    'environmental-impact',
    'environmental-score-by-category',
    'most-frequent-additives',
    'nova-distribution',
    'nutri-score-by-nova',
    'nutri-score-ranking',
    'nutrients-by-nutri-score',
    'sugar-against-fat',
  ])
  const own = [
    ...[
      'views.sql',
      'kafka.properties',
      'kafka.kraft.properties',
      'zookeeper.properties',
      'ivysettings.xml',
    ].map(name => ['config', name] as const),
    ...['kafka.log4j.properties', 'kafka.log4j2.properties', 'spark.log4j2.properties'].map(
      name => ['config', name] as const,
    ),
    ...['stream.py', 'thrift_server.py', 'lake.py', 'ProductReader.java', 'offstream_jobs/job.py'].map(
      name => ['spark-jobs', name] as const,
    ),
  ]
  expect(own.map(([at, name]) => assetPath(folder, at, name))).toEqual(
    own.map(names => join(folder, ...names)),
  )
})

test('a bare project has its settings, their schema, the workbook, a README and a .gitignore', async () => {
  const folder = await emptyFolder()
  await initProject({ folder, contact: null, bare: true })

  expect(await filesIn(folder)).toEqual([
    '.gitignore',
    'Data-viz.twb',
    'README.md',
    'config/offstream.schema.json',
    'offstream.yaml',
  ])
  const [first = ''] = (await readFile(join(folder, 'offstream.yaml'), 'utf8')).split('\n')
  expect(await filesIn(folder)).toContain(first.split('$schema=')[1])
  expect((await loadProject({ from: folder, environment: {} })).config).toEqual(Config.parse({}))
})

test('a project of a template has its files, charts that can be read, and the default settings', async () => {
  const folder = await emptyFolder()
  const { files } = await initProject({ folder, contact: null, bare: false, template: 'clickstream' })

  expect(files).toEqual(await filesIn(folder))
  expect(files).toEqual([
    ...['.gitignore', 'README.md'],
    ...['charts/steps-of-visits.json', 'charts/steps-of-visits.sql'],
    ...['charts/visits-by-hour.json', 'charts/visits-by-hour.sql'],
    ...['config/offstream.schema.json', 'events/clicks.jsonl'],
    ...['jobs/click_rows.py', 'jobs/clicks.py', 'jobs/test_click_rows.py'],
    ...['offstream.yaml', 'views/pages.sql', 'views/visits.sql'],
  ])
  const charts = await listCharts(assetPath(folder, 'charts'))
  expect(charts.map(chart => [chart.name, sourceOf(chart)])).toEqual([
    ['steps-of-visits', 'clicks of the shop'],
    ['visits-by-hour', 'clicks of the shop'],
  ])
  expect((await loadProject({ from: folder, environment: {} })).config).toEqual(Config.parse({}))
})

test('if a file of the project exists, nothing is written', async () => {
  const folder = await emptyFolder()
  await writeFile(join(folder, 'Data-viz.twb'), 'mine')

  await expect(initProject({ folder, contact: null, bare: false })).rejects.toMatchObject({
    code: 'PROJECT_EXISTS',
    outcome: 'refused',
    message: `\`${folder}\` already has \`Data-viz.twb\``,
  })
  expect(await filesIn(folder)).toEqual(['Data-viz.twb'])
})

test('an existing README and .gitignore are not changed', async () => {
  const folder = await emptyFolder()
  for (const name of ['README.md', '.gitignore', 'package.json']) await writeFile(join(folder, name), 'mine')
  const { files, unchanged } = await initProject({ folder, contact: null, bare: true })

  expect([files, unchanged]).toEqual([
    ['Data-viz.twb', 'config/offstream.schema.json', 'offstream.yaml'],
    ['.gitignore', 'README.md'],
  ])
  expect(await readFile(join(folder, 'README.md'), 'utf8')).toBe('mine')
})

test('a project that cannot be written completely leaves no files', async () => {
  const folder = await emptyFolder()
  await writeFile(join(folder, 'spark-jobs'), 'a file where a folder should be')

  await expect(initProject({ folder, contact: null, bare: false })).rejects.toMatchObject({
    code: 'PROJECT_UNWRITABLE',
  })
  expect(await readdir(folder)).toEqual(['spark-jobs'])
})
