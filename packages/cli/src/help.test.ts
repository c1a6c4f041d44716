import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { exitStatus } from '@offstream/runtime/errors'
import { expect, test } from 'vitest'
import { programWithAllCommands } from './allCommands.ts'
import { callsIn, unknownIn } from './testCommandLine.ts'

const program = await programWithAllCommands()
const packages = fileURLToPath(new URL('../../', import.meta.url))

interface Help {
  /** `offstream topic peek`. */
  readonly name: string
  readonly text: string
}

const helpsOf = (command: CommandUnknownOpts, before: string): Help[] => {
  const name = `${before}${command.name()}`
  let text = ''
  command.configureOutput({
    writeOut: part => {
      text += part
    },
    getOutHelpWidth: () => 80,
  })
  command.outputHelp()
  return [{ name, text }, ...command.commands.flatMap(inner => helpsOf(inner, `${name} `))]
}

const helps = helpsOf(program, '').filter(({ name }) => name !== 'offstream daemon')
const sectionOf = (text: string, title: RegExp): string => text.split(title)[1]?.split('\n\n')[0] ?? ''

test('every help has an example of its own command', () => {
  const without = helps.filter(({ name, text }) => !sectionOf(text, /^Examples?:\n/m).includes(name))
  expect(without.map(({ name }) => name)).toEqual([])
  expect(helps.length).toBeGreaterThan(25)
})

test('every call of offstream that a help shows exists with its options', () => {
  const wrong = helps.flatMap(({ name, text }) =>
    callsIn(text).flatMap(call => unknownIn(call, program).map(word => `${name}: ${call}: ${word}`)),
  )
  expect(wrong).toEqual([])
})

test('every call of offstream in an error, a note or the README exists with its options', () => {
  const files = [
    ...readdirSync(packages, { recursive: true, encoding: 'utf8' })
      .filter(file => /^[^/]+\/src\/.*(?<!\.test)\.ts$/.test(file))
      .map(file => `${packages}${file}`),
    `${packages}../README.md`,
  ]
  const calls = files.flatMap(file => callsIn(readFileSync(file, 'utf8')))
  expect(calls.flatMap(call => unknownIn(call, program).map(word => `${call}: ${word}`))).toEqual([])
  expect(calls.length).toBeGreaterThan(100)
})

test('a call that does not exist is detected', () => {
  const calls = [
    'offstream upp',
    'offstream up --nope',
    'offstream --set a=b down kafka',
    'offstream wait --for up',
  ]
  expect(calls.map(call => unknownIn(call, program))).toEqual([['upp'], ['--nope'], ['kafka'], []])
})

test('every help fits into 80 columns', () => {
  const wide = helps.flatMap(({ name, text }) =>
    text.split('\n').flatMap(line => (line.length > 80 ? [`${name}: ${line}`] : [])),
  )
  expect(wide).toEqual([])
})

test('the exit statuses in a help are those of offstream', () => {
  const known = new Set<number>(Object.values(exitStatus))
  const unknown = helps.flatMap(({ name, text }) =>
    [...sectionOf(text, /^Exit status: /m).matchAll(/(?<![\w.])\d+(?= )/g)].flatMap(([status]) =>
      known.has(Number(status)) ? [] : [`${name}: ${status}`],
    ),
  )
  expect(unknown).toEqual([])
})
