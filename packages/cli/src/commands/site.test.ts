import { faults } from '@offstream/site'
import { expect, test } from 'vitest'
import { programWithAllCommands } from '../allCommands.ts'
import { runCommand } from '../testCommand.ts'

test('the help lists every fault', async () => {
  const program = await programWithAllCommands()
  const command = program.commands.find(command => command.name() === 'site')
  let help = ''
  command?.configureOutput({
    writeOut: text => {
      help += text
    },
  })
  command?.outputHelp()
  const [, named = ''] = /Faults[^:]*:\n(.*?)\n\n/s.exec(help) ?? []
  expect(named.trim().split(/\s+/)).toEqual(Object.keys(faults))
})

test('an unknown fault is rejected before the site starts', async () => {
  await expect(runCommand(['site', '--port', '0', '--fault', 'rain=/produit/*'])).rejects.toMatchObject({
    ...{ code: 'FAULT_UNKNOWN', outcome: 'usage', message: 'Fault `rain` does not exist' },
  })
})
