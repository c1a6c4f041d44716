import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ServiceRecords } from '@offstream/runtime'
import { expect, onTestFinished, test } from 'vitest'
import { directoriesOf } from '../project/directories.ts'
import { readJobs, saveJob } from '../services/jobStore.ts'
import { removeJob, stopJob } from './jobs.ts'

test('a job whose record is left from before a reboot can be stopped and removed without a daemon', async () => {
  const state = await mkdtemp(join(tmpdir(), 'offstream-jobs-'))
  onTestFinished(() => rm(state, { recursive: true }))
  await saveJob(state, {
    ...{ name: 'sessions', program: '/sessions.py', args: [], directory: '/', cores: 1, memory: '512m' },
    ...{ packages: [], pyFiles: [], conf: {}, once: false, webPort: 4041 },
  })
  const records = new ServiceRecords(directoriesOf(state).records)
  await records.keep({
    ...{ name: 'sessions', phase: 'running', pid: 1, startId: 'of an earlier process', port: 4041 },
    ...{ logFile: '/dev/null', startedAt: '2026-01-01T00:00:00.000Z', restarts: 0, detail: null },
  })
  expect([await stopJob(state, 'sessions', {}), await records.all()]).toEqual([false, []])
  await removeJob(state, 'sessions', {})
  expect(await readJobs(state)).toEqual([])
})
