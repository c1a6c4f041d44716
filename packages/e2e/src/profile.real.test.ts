import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { scratchStack } from './stack.ts'

test('a profile has its own services and settings, which no command with another profile uses', async () => {
  await using stack = await scratchStack()
  const file = join(stack.directory, 'offstream.yaml')
  const settings = JSON.parse(await readFile(file, 'utf8'))
  const profiles = { prod: { dashboard: { readOnly: true } }, ci: { kafka: { memory: '300m' } } }
  await writeFile(file, JSON.stringify({ ...settings, profiles }))
  const prod = { env: { OFFSTREAM_PROFILE: 'prod' } }
  const dashboardOf = async (options: Parameters<typeof stack.json>[1]) => {
    const { services } = (await stack.json(['status'], options)) as { readonly services: unknown[] }
    return services.at(-1)
  }

  // Only the dashboard: it has the daemon and the settings of a stack, and starts within a second.
  await stack.succeed(['dashboard', '--profile', 'prod'])
  expect(await dashboardOf(prod)).toMatchObject({ name: 'dashboard', state: 'running', health: 'healthy' })
  expect(await dashboardOf({ env: { OFFSTREAM_PROFILE: 'ci' } })).toMatchObject({ state: 'stopped' })
  expect(await stack.json(['config', 'show', '--sources'], prod)).toMatchObject({
    ...{ profile: 'prod', config: { dashboard: { readOnly: true }, kafka: settings.kafka } },
    sources: { 'dashboard.readOnly': { kind: 'stack' } },
  })

  const submit = await stack.run(['submit'])
  expect([submit.exitCode, submit.stderr.split('\n').at(-1)]).toEqual([
    3,
    'Other services of this project are running: add `--profile prod`',
  ])
  expect(await stack.json(['down', '--profile', 'ci'])).toMatchObject({ stopped: false })

  // The profile is deleted from the file while it runs.
  await writeFile(file, JSON.stringify(settings))
  expect(await stack.run(['up'], prod)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('The profile `prod` does not exist [PROFILE_UNKNOWN]'),
  })
  expect(await dashboardOf(prod)).toMatchObject({ state: 'running' })
  expect(await stack.json(['down'], prod)).toMatchObject({ stopped: true })
})
