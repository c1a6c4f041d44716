import { faults } from '@offstream/site'
import { expect, test } from 'vitest'
import { programWithAllCommands } from '../allCommands.ts'
import { runCommand } from '../testCommand.ts'

test('the help names every fault that can be switched on', async () => {
  const program = await programWithAllCommands()
  const command = program.commands.find(command => command.name() === 'site')
  let help = ''
  command?.configureOutput({
    writeOut: text => {
      help += text
    },
  })
  command?.outputHelp()
  const [, named = ''] = /What can go wrong[^:]*:\n(.*?)\n\n/s.exec(help) ?? []
  expect(named.trim().split(/\s+/)).toEqual(Object.keys(faults))
})

test('a fault that nobody knows is refused before anything is served', async () => {
  await expect(runCommand(['site', '--port', '0', '--fault', 'rain=/produit/*'])).rejects.toMatchObject({
    ...{ code: 'FAULT_UNKNOWN', outcome: 'usage', message: 'There is no fault `rain`' },
  })
})
