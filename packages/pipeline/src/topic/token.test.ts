import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { identify } from '@offstream/runtime'
import { expect, onTestFinished, test, vi } from 'vitest'
import { unsignedToken } from '../services/testToken.ts'
import { requestToken, type TokenLogin, validToken } from './token.ts'

/** A login whose command runs a program of Node in a new folder. */
const loginOf = (program: string): TokenLogin => {
  const directory = mkdtempSync(join(tmpdir(), 'offstream-token-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  return { mechanism: 'oauthbearer', command: [process.execPath, '-e', program], directory }
}

const inAnHour = new Date(Math.floor(Date.now() / 1_000) * 1_000 + 3_600_000)
const printing = (text: string): TokenLogin => loginOf(`console.log(${JSON.stringify(text)})`)

test('the output of the command is the token, and its claim `exp` says when it expires', async () => {
  const value = unsignedToken(inAnHour)
  expect(await requestToken(printing(`\n ${value} `))).toEqual({ value, expires: inAnHour })
})

test('the command runs in the folder of the project, without the other variables of the user', async () => {
  vi.stubEnv('MY_SECRET', 'x')
  onTestFinished(() => void vi.unstubAllEnvs())
  const login = loginOf(
    `require("fs").writeFileSync("seen", JSON.stringify(process.env)); console.log("${unsignedToken(inAnHour)}")`,
  )
  await requestToken(login)
  const seen = JSON.parse(readFileSync(join(login.directory, 'seen'), 'utf8'))
  expect([seen.HOME, seen.MY_SECRET]).toEqual([process.env['HOME'], undefined])
})

test.each([
  ['fails', loginOf, 'console.log("secret"); process.exit(3)', 'exited with status 3'],
  ['prints no token', printing, 'secret', 'did not print a JWT with the time `exp`'],
  [
    ...(['prints a token without `exp`', printing, unsignedToken(inAnHour, { exp: undefined })] as const),
    'did not print a JWT with the time `exp`',
  ],
  [
    ...(['prints an expired token', printing, unsignedToken(new Date('2026-01-01'))] as const),
    'printed a token that expired at 2026-01-01T00:00:00.000Z',
  ],
] as const)(
  'a command that %s is an error, which does not contain the output',
  async (_, login, text, what) => {
    await expect(requestToken(login(text))).rejects.toMatchObject({
      ...{ code: 'TOKEN_FAILED', outcome: 'refused' },
      message: `The command \`${process.execPath}\` of \`sasl.tokenCommand\` ${what}`,
    })
  },
)

test('a command that takes too long is killed with the processes that it has started', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const login = { ...loginOf(''), command: ['sh', '-c', 'sleep 1000 & echo $! > child; wait'] }
  const requested = requestToken(login)
  const failed = expect(requested).rejects.toMatchObject({
    code: 'TOKEN_FAILED',
    message: 'The command `sh` of `sasl.tokenCommand` did not exit within 30 s',
  })
  const child = () => Number(readFileSync(join(login.directory, 'child'), 'utf8').trim() || Number.NaN)
  await expect.poll(child).toBeGreaterThan(0)
  vi.advanceTimersByTime(30_000)
  await failed
  await expect.poll(() => identify(child())).toBeNull()
})

test('a program that does not exist is an error that names it', async () => {
  const login = { ...loginOf(''), command: ['no-such-program'] }
  await expect(requestToken(login)).rejects.toMatchObject({
    code: 'TOKEN_FAILED',
    message: 'The command `no-such-program` of `sasl.tokenCommand` cannot be run: ENOENT',
  })
})

/** Prints tokens that expire in an hour, each with the count of its run. */
const counting = () =>
  loginOf(`
    const { appendFileSync, readFileSync } = require('fs')
    appendFileSync('runs', 'x')
    const claims = { exp: ${inAnHour.getTime() / 1_000}, run: readFileSync('runs').length }
    console.log('h.' + Buffer.from(JSON.stringify(claims)).toString('base64url') + '.')
  `)

test('a token is used again until 80% of its time has passed, also by requests at the same time', async () => {
  const login = counting()
  const [first, second] = await Promise.all([validToken(login), validToken(login)])
  expect(second).toEqual(first)
  vi.useFakeTimers({ now: Date.now() + 0.7 * 3_600_000, toFake: ['Date'] })
  onTestFinished(() => void vi.useRealTimers())
  expect(await validToken(login)).toEqual(first)
  vi.setSystemTime(Date.now() + 0.2 * 3_600_000)
  expect((await validToken(login)).value).not.toBe(first.value)
})

test('a failure is not remembered', async () => {
  const login = loginOf(`
    const { existsSync, writeFileSync } = require('fs')
    if (!existsSync('seen')) { writeFileSync('seen', ''); process.exit(1) }
    console.log('${unsignedToken(inAnHour)}')
  `)
  await expect(validToken(login)).rejects.toMatchObject({ code: 'TOKEN_FAILED' })
  expect(await validToken(login)).toMatchObject({ expires: inAnHour })
})
