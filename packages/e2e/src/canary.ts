import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { stateFolder } from '@offstream/pipeline'
import type { ScratchStack } from './stack.ts'
import { StatusContract } from './statusContract.ts'

/**
 * Searches a running stack for a secret: arguments and environments of its processes, all files of its state folder, the
 * pages of Spark, and what commands print.
 * @param page the address of the Spark UI of the job of the products, if its driver is not on this machine
 * @returns the places that contain it
 */
export const placesWith = async (
  stack: ScratchStack,
  secret: string,
  page?: string,
): Promise<readonly string[]> => {
  const texts = await Promise.all([
    textsOfProcesses(stack),
    textsOfFiles(stateFolder(stack.directory, null)),
    textsOfPages(stack, page),
    textsOfCommands(stack),
  ])
  return texts
    .flat()
    .filter(({ text }) => text.includes(secret))
    .map(({ place }) => place)
    .toSorted()
}

interface Text {
  readonly place: string
  readonly text: string
}

const textsOfProcesses = async (stack: ScratchStack): Promise<Text[]> =>
  Promise.all(
    (await stack.processes()).map(async line => {
      const environment = await readFile(`/proc/${Number.parseInt(line, 10)}/environ`, 'latin1').catch(
        () => '',
      )
      return { place: `process ${line.slice(0, 80)}`, text: `${line}\n${environment}` }
    }),
  )

const textsOfFiles = async (folder: string): Promise<Text[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return Promise.all(
    entries
      .filter(entry => entry.isFile())
      .map(async entry => {
        const file = join(entry.parentPath, entry.name)
        // A temporary file may be gone by now.
        return { place: relative(folder, file), text: await readFile(file, 'latin1').catch(() => '') }
      }),
  )
}

const pagesOfJob = ['jobs', 'stages', 'environment', 'executors', 'SQL', 'StreamingQuery', 'storage']

const textsOfPages = async ({ config, json }: ScratchStack, page?: string): Promise<Text[]> => {
  const own = StatusContract.parse(await json(['status'])).jobs.filter(({ state }) => state === 'running')
  const at = (port: number): string => `http://${config.host}:${port}`
  const jobs = [page ?? at(config.stream.webPort), ...own.map(({ address }) => address)]
  const addresses = [
    ...(await Promise.all(jobs.map(addressesOfJob))).flat(),
    ...(config.spark.master === 'yarn' ? [] : [at(config.spark.webPort)]),
    ...(config.spark.master === null ? [at(config.spark.worker.webPort)] : []),
  ]
  return Promise.all(
    addresses.map(async address => {
      const response = await fetch(address)
      // A page that does not exist would prove nothing.
      if (!response.ok) throw new Error(`${address} returned ${response.status}`)
      return { place: address, text: await response.text() }
    }),
  )
}

const addressesOfJob = async (job: string): Promise<string[]> => {
  const applications = (await (await fetch(`${job}/api/v1/applications`)).json()) as { readonly id: string }[]
  const api = `${job}/api/v1/applications/${applications[0]?.id}`
  return [
    ...pagesOfJob.map(page => `${job}/${page}/`),
    ...['environment', 'sql', 'jobs'].map(page => `${api}/${page}`),
  ]
}

const textsOfCommands = async (stack: ScratchStack): Promise<Text[]> => {
  const texts: Text[] = []
  for (const args of [
    ...[
      ['report', '--output', '-'],
      ['status', '--json'],
      ['doctor', '--json'],
      ['topic', 'describe'],
    ],
    ...[
      ['config', 'show', '--sources'],
      ['logs', '--json'],
    ],
  ]) {
    const { stdout, stderr } = await stack.run(args)
    texts.push({ place: `offstream ${args.join(' ')}`, text: stdout + stderr })
  }
  return texts
}
