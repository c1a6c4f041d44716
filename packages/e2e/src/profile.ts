import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from '@offstream/runtime'
import { waitForTable } from './pipeline.ts'
import { root } from './repository.ts'
import { type RunOptions, type ScratchStack, scratchStack } from './stack.ts'

type Env = NonNullable<RunOptions['env']>

/** A project with `profiles/<name>.yaml`, in which each `{{…}}` is replaced, and these settings. Nothing runs yet. */
export const profileStack = async (
  name: string,
  values: Readonly<Record<string, string>> = {},
  settings: readonly string[] = [],
): Promise<ScratchStack> => {
  const text = await readFile(join(root, 'packages/e2e/profiles', `${name}.yaml`), 'utf8')
  return scratchStack(
    settings,
    text.replace(/\{\{(\w+)\}\}/g, (whole, key: string) => values[key] ?? whole),
  )
}

const codes = Array.from({ length: 40 }, (_, index) => String(10_000_000 + index))

/** Products that differ only in their codes and names, with a version each. */
const lines = codes
  .flatMap(code => [
    {
      code,
      product_name: `Tea ${code}`,
      brands: 'A',
      nutriments: { fat_100g: 1 },
      last_modified_t: 1_760_000_000,
    },
    {
      code,
      product_name: `Tea ${code}`,
      brands: 'B',
      nutriments: { fat_100g: 2 },
      last_modified_t: 1_760_000_001,
    },
  ])
  .map(product => JSON.stringify(product))

/**
 * Runs the whole pipeline once: up, submit, scrape, healthy and without lag.
 * @param env the environment of `up` only: later commands must know the secrets
 * @returns the rows that SQL clients see, without the time of the scrape
 */
export const runPipeline = async (stack: ScratchStack, env: Env = {}): Promise<unknown> => {
  await stack.succeed(['up'], { env })
  await stack.succeed(['submit'])
  await stack.succeed(['scrape', '--source', 'stdin'], { input: lines.join('\n') })
  await waitForTable(stack, `rows=${codes.length}`, 'rejected=0')
  const { stdout } = await stack.succeed([
    ...['query', 'SELECT * EXCEPT (observed_at) FROM Products ORDER BY code', '--format', 'json'],
  ])
  return JSON.parse(stdout)
}

/** A program of the user that copies the keys of the topic to a table. */
const codesOfTopic = `
import json, os
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
kafka = json.loads(os.environ["OFFSTREAM_KAFKA_OPTIONS"])
messages = spark.readStream.format("kafka").options(**kafka).option("startingOffsets", "earliest")
codes = messages.option("subscribe", os.environ["OFFSTREAM_TOPIC"]).load().selectExpr("CAST(key AS string) AS code")
spark.sql("CREATE NAMESPACE IF NOT EXISTS lake.mine")
spark.sql("CREATE TABLE IF NOT EXISTS lake.mine.codes (code string)")
copy = codes.writeStream.option("checkpointLocation", os.environ["OFFSTREAM_CHECKPOINT"])
copy.toTable("lake.mine.codes").awaitTermination()
`

/** Submits a job of the user to the stack of `runPipeline`, and waits until it has copied the codes of all products. */
export const submitCopy = async (stack: ScratchStack): Promise<void> => {
  await writeFile(join(stack.directory, 'codes.py'), codesOfTopic)
  await stack.succeed(['submit', 'codes.py'])
  await untilCopied(stack, codes.length)
}

/** Waits until the job of `submitCopy` has copied this number of codes. */
export const untilCopied = async (stack: ScratchStack, count: number): Promise<void> =>
  until(
    async () => {
      const sql = 'SELECT count(DISTINCT code) AS codes FROM lake.mine.codes'
      const { stdout } = await stack.succeed(['query', sql, '--format', 'json'])
      const found = JSON.parse(stdout)[0].codes
      if (found !== count) throw new Error(`it has copied ${found} of ${count} codes`)
    },
    { what: 'the job to copy all codes', timeoutMs: 60_000 },
  )
