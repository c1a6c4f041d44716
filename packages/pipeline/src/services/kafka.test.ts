import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Config } from '../project/config.ts'
import type { Runtimes } from '../runtimes/distributions.ts'
import { zookeeper } from './kafka.ts'

/** The filled-in properties of ZooKeeper, from the template of offstream or from this one of a project. */
const filled = async (folder: string, template?: string): Promise<string> => {
  const scratch = await mkdtemp(join(tmpdir(), 'offstream-template-'))
  onTestFinished(() => rm(scratch, { recursive: true }))
  const project = join(scratch, folder)
  await mkdir(join(project, 'config'), { recursive: true })
  if (template !== undefined) await writeFile(join(project, 'config', 'zookeeper.properties'), template)
  await zookeeper({
    ...{ project, state: join(project, '.offstream'), config: Config.parse({}), archives: null },
    // Used when the program is started, which this test does not do.
    runtimes: { java: 'java', kafkaLibs: 'libs' } as Runtimes,
  }).prepare?.(new AbortController().signal)
  return (await readFile(join(project, '.offstream', 'run', 'zookeeper.properties'), 'utf8')).replaceAll(
    scratch,
    '<scratch>',
  )
}

test('every placeholder of the template of offstream is filled in', async () => {
  const properties = await filled('project')
  expect(properties).toContain('\ndataDir=<scratch>/project/.offstream/data/zookeeper\n')
  expect(properties.replace(/^#.*$/gm, '')).not.toContain('{{')
})

test('the path of a folder is escaped for Java, whatever characters it has', async () => {
  // By the specification of java.util.Properties.load: ISO 8859-1, others as \uXXXX, two for an emoji.
  expect(await filled('Téléchargements 🥖\\x', 'dataDir={{data}}')).toBe(
    'dataDir=<scratch>/T\\u00e9l\\u00e9chargements \\ud83e\\udd56\\\\x/.offstream/data/zookeeper',
  )
})

test('an unknown placeholder is an error that lists the known ones', async () => {
  await expect(filled('project', 'clientPort={{prot}}')).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: '`zookeeper.properties` has the unknown placeholder `{{prot}}`',
    hint: 'use one of these: `{{host}}`, `{{port}}`, `{{data}}`',
  })
})
