import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  Config,
  environmentName,
  loadProject,
  programVariables,
  settingPaths,
  stateFolder,
} from '@offstream/pipeline'
import { expect, onTestFinished, test } from 'vitest'
import { runCommand } from '../testCommand.ts'
import { recordRunningStack } from '../testRunningStack.ts'

/** A project whose path has blanks and quotes, and whose stack counts as running. */
const runningProject = async (): Promise<string> => {
  const project = await mkdtemp(join(tmpdir(), "offstream env's $HOME "))
  onTestFinished(() => rm(project, { recursive: true }))
  await recordRunningStack(project)
  return project
}

const variablesOf = async (project: string): Promise<Record<string, string>> =>
  JSON.parse((await runCommand(['env'], { project, json: true })).stdout).variables

test.each([
  ['sh', ['bash', '-c']],
  ['fish', ['fish', '-c']],
])(
  'a shell that runs the output of `env --shell %s` has the variables, whatever the path',
  async (shell, [program = '', ...args]) => {
    if (spawnSync(program, ['-c', 'exit 0']).status !== 0) return
    const project = await runningProject()
    const { stdout } = await runCommand(['env', '--shell', shell], { project })
    const printed = execFileSync(program, [...args, `${stdout}\nenv -0`], { encoding: 'utf8' }).split('\0')
    const expected = Object.entries(await variablesOf(project)).map(([name, value]) => `${name}=${value}`)
    expect(expected.filter(line => !printed.includes(line))).toEqual([])
    expect(printed).toContain('OFFSTREAM_BROKERS=127.0.0.1:1002')
  },
)

test('PySpark splits PYSPARK_SUBMIT_ARGS into the properties that `env --json` lists', async () => {
  const project = await runningProject()
  const { variables, sparkConf } = JSON.parse((await runCommand(['env'], { project, json: true })).stdout)
  // What pyspark/java_gateway.py does with the variable.
  const split = 'import json, os, shlex; print(json.dumps(shlex.split(os.environ["PYSPARK_SUBMIT_ARGS"])))'
  const words = JSON.parse(execFileSync('python3', ['-c', split], { encoding: 'utf8', env: variables }))
  expect(words).toEqual([
    ...['--master', 'spark://127.0.0.1:7077', '--driver-class-path', '/jars/*'],
    ...Object.entries(sparkConf).flatMap(([key, value]) => ['--conf', `${key}=${value}`]),
    'pyspark-shell',
  ])
  expect(sparkConf['spark.sql.catalog.lake.warehouse']).toBe(`file:${stateFolder(project, null)}/lake`)
})

test('offstream accepts its own variables in its environment, and none of them is a setting', async () => {
  const project = await runningProject()
  const environment = await variablesOf(project)
  await expect(loadProject({ from: project, environment })).resolves.toMatchObject({
    config: Config.parse({}),
  })
  const names = settingPaths.map(environmentName)
  expect(programVariables.filter(name => names.includes(name))).toEqual([])
  expect(Object.keys(environment)).toEqual(expect.arrayContaining([...programVariables]))
})
