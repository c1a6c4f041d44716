import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { directoriesOf, stateFolder } from '@offstream/pipeline'
import { identify, ServiceRecords } from '@offstream/runtime'
import { expect, onTestFinished, test } from 'vitest'
import { runCommand } from '../testCommand.ts'

/** A project with the profiles `prod` and `ci`, where kafka of `prod` runs: it is this process. */
const project = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'offstream-profile-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'offstream.yaml'), 'profiles: { prod: {}, ci: {} }\n')
  const { pid, startId } = (await identify(process.pid)) ?? expect.fail()
  await new ServiceRecords(directoriesOf(stateFolder(folder, null, 'prod')).records).keep({
    ...{ name: 'kafka', phase: 'running', pid, startId, port: 1001, logFile: '/dev/null' },
    ...{ startedAt: null, restarts: 0, detail: null },
  })
  return folder
}

test.each([{}, { profile: 'ci' }, { stack: 'prod' }, { profile: 'prod', stack: 'prod' }])(
  'with %j, `status` and `down` do not use the services of the profile `prod`, and say how to use them',
  async options => {
    const folder = await project()
    const others = '\nOther services of this project are running: add `--profile prod`\n'
    const status = await runCommand(['status'], { project: folder, ...options })
    expect([status.exitCode, status.stderr]).toEqual([3, expect.stringContaining(others)])
    const selection = Object.entries(options).map(([name, value]) => ` --${name} ${value}`)
    expect(status.stdout.split('\n')[0]).toBe(`○ stopped${selection.join('')}`)
    const down = await runCommand(['down'], { project: folder, ...options })
    expect(down.stderr).toBe(`Nothing was running. Next: \`offstream up\`${others}`)
  },
)

test('a job of one profile is not submitted to the services of another', async () => {
  const submit = runCommand(['submit'], { project: await project(), profile: 'ci' })
  await expect(submit).rejects.toMatchObject({ code: 'NOT_RUNNING', message: 'kafka is not running' })
})

test('a misspelt profile is an error of every command, also of `down`', async () => {
  for (const command of ['down', 'status', 'up'])
    await expect(runCommand([command], { project: await project(), profile: 'prd' })).rejects.toMatchObject({
      code: 'PROFILE_UNKNOWN',
    })
})
