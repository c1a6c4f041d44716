import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { runCommand } from '../testCommand.ts'

test('the cores of workers cannot be set if an existing cluster runs the job', async () => {
  const project = await mkdtemp(join(tmpdir(), 'offstream-up-'))
  onTestFinished(() => rm(project, { recursive: true }))
  await writeFile(join(project, 'offstream.yaml'), 'spark: {master: "spark://one.example.org:7077"}\n')
  await expect(runCommand(['up', '--cores', '4'], { project })).rejects.toMatchObject({
    ...{ code: 'OPTIONS_CONFLICT', outcome: 'usage' },
  })
})
