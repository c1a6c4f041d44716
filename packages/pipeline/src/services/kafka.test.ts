import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import type { Runtimes } from '../runtimes/distributions.ts'
import { zookeeper } from './kafka.ts'

/** Fills in the template, the project's own where one is given. @returns what ZooKeeper would read */
const filled = async (folder: string, template?: string): Promise<string> => {
  const scratch = await mkdtemp(join(tmpdir(), 'offstream-template-'))
  onTestFinished(() => rm(scratch, { recursive: true }))
  const project = join(scratch, folder)
  await mkdir(join(project, 'config'), { recursive: true })
  if (template !== undefined) await writeFile(join(project, 'config', 'zookeeper.properties'), template)
  const directories = directoriesOf(join(project, '.offstream'))
  await zookeeper({
    ...{ project, config: Config.parse({}), archives: null, directories },
    // Looked up when the program is started, which it is not here.
    runtimes: { java: 'java', kafkaLibs: 'libs' } as Runtimes,
  }).prepare?.(new AbortController().signal)
  return (await readFile(join(directories.run, 'zookeeper.properties'), 'utf8')).replaceAll(
    scratch,
    '<scratch>',
  )
}

test('our own template has every value filled in', async () => {
  const properties = await filled('project')
  expect(properties).toContain('\ndataDir=<scratch>/project/.offstream/data/zookeeper\n')
  expect(properties.replace(/^#.*$/gm, '')).not.toContain('{{')
})

test('a folder is written as Java reads it, whatever letters it has', async () => {
  // By the specification of java.util.Properties.load: ISO 8859-1, others as \uXXXX, two for an emoji.
  expect(await filled('Téléchargements 🥖\\x', 'dataDir={{data}}')).toBe(
    'dataDir=<scratch>/T\\u00e9l\\u00e9chargements \\ud83e\\udd56\\\\x/.offstream/data/zookeeper',
  )
})

test('a place that nobody knows is told, with those that are known', async () => {
  await expect(filled('project', 'clientPort={{prot}}')).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: '`zookeeper.properties` has `{{prot}}`, which offstream does not know',
    hint: 'these are filled in: `{{host}}`, `{{port}}`, `{{data}}`',
  })
})
