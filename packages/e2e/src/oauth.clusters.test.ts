import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startKafka, type TestKafka } from '@offstream/pipeline/testKafka'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { placesWith } from './canary.ts'
import { waitForTable } from './pipeline.ts'
import { profileStack, runPipeline, submitCopy, untilCopied } from './profile.ts'
import type { ScratchStack } from './stack.ts'
import { streamOf } from './stream.ts'

const tokenSeconds = 20

/** The first part of every token, which occurs nowhere else: a search finds all tokens. */
const tokenHead = Buffer.from(JSON.stringify({ alg: 'none', canary: '3d71c0be' })).toString('base64url')

/** Prints a token, and writes which process requests it to the file `runs`. It fails while the file `broken` exists. */
const tokenProgram = `#!${process.execPath}
const { appendFileSync, existsSync } = require('node:fs')
if (existsSync('broken')) process.exit(1)
appendFileSync('runs', process.ppid + '\\n')
const now = Math.floor(Date.now() / 1000)
const exp = process.argv[2] === 'expired' ? now - 1 : now + ${tokenSeconds}
const claims = Buffer.from(JSON.stringify({ sub: 'mirror', iat: now - ${tokenSeconds}, exp })).toString('base64url')
console.log('${tokenHead}.' + claims + '.')
`

let kafka: TestKafka
let rowsOfLocal: unknown
beforeAll(async () => {
  kafka = await startKafka()
  await using local = await profileStack('local')
  rowsOfLocal = await runPipeline(local)
})
afterAll(() => kafka?.[Symbol.asyncDispose]())

/** How many tokens each process of the stack that still runs has requested. */
const requestsByProcess = async (stack: ScratchStack): Promise<readonly number[]> => {
  const pids = (await stack.processes()).map(line => Number.parseInt(line, 10))
  const requests = (await readFile(join(stack.directory, 'runs'), 'utf8')).trim().split('\n').map(Number)
  return pids.map(pid => requests.filter(one => one === pid).length).filter(count => count > 0)
}

test('a cluster with tokens of a command gives the same rows, also after the first tokens have expired, and no token is stored or shown', async () => {
  await using stack = await profileStack('kafka-oauthbearer', {
    ...{ secureBroker: kafka.secureBroker, caFile: kafka.certificates.caFile },
  })
  const { failure, json, publish, untilFailed } = streamOf(stack)
  const broken = join(stack.directory, 'broken')
  await writeFile(join(stack.directory, 'token'), tokenProgram, { mode: 0o755 })
  expect(await runPipeline(stack)).toEqual(rowsOfLocal)
  await submitCopy(stack)

  const until = Date.now() + 1.5 * tokenSeconds * 1_000
  let rows = 40
  while (Date.now() < until) {
    await publish(String(20_000_000 + rows))
    rows += 1
    await waitForTable(stack, `rows=${rows}`)
  }
  await untilCopied(stack, rows)
  // Driver and executor of both jobs; commands request theirs themselves.
  const requests = (await requestsByProcess(stack)).filter(count => count >= 2)
  expect(requests.length).toBeGreaterThanOrEqual(4)

  expect(await placesWith(stack, tokenHead)).toEqual([])
  const { stdout } = await stack.succeed(['submit', '--dry-run'])
  expect(stdout).not.toContain(tokenHead)
  const { findings } = await json('doctor')
  expect(findings).toContainEqual({
    ...{ name: 'Kafka token', verdict: 'ok', hint: null },
    found: expect.stringMatching(/token` printed a token that expires at 20\d\d-/),
  })

  const expired = 'kafka.sasl.tokenCommand=[./token, expired]'
  expect(await failure('restart', 'products-stream', '--set', expired)).toEqual(['TOKEN_FAILED', 10])
  await stack.succeed(['submit', '--set', 'kafka.sasl.tokenCommand=[./token]'])
  await writeFile(broken, '')
  expect(await failure('topic', 'describe')).toEqual(['TOKEN_FAILED', 10])
  const { services } = await json('status')
  expect(services[1]).toMatchObject({
    ...{ name: 'kafka', state: 'external', health: 'unhealthy' },
    detail: expect.stringContaining('exited with status 1 [TOKEN_FAILED]'),
  })
  // When the last token has expired.
  expect(await untilFailed()).toMatchObject({
    detail: expect.stringMatching(/\[(?:TOKEN|AUTHENTICATION)_FAILED\]/),
  })
  await rm(broken)
  await stack.succeed(['submit'])
  await publish('30000000')
  await waitForTable(stack, `rows=${rows + 1}`, 'rejected=0')
})
