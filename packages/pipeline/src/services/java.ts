import type { ServiceCommand } from '@offstream/runtime'
import type { ServiceName } from '../names.ts'
import type { Directories } from '../project/directories.ts'
import { archiveFile } from '../runtimes/archives.ts'
import type { Archives } from './stack.ts'

/** Options by which a program reads its archive at the start or, if it has none yet, writes one at the exit. */
export const archiveFlags = (archives: Archives | null, service: ServiceName): string[] => {
  // All brokers are the same program, and so are all workers.
  const first = firstOf[service]
  const name = first ?? service
  if (archives === null || (first !== undefined && !archives.made.includes(first))) return []
  // Java replaces the file, so a program that has mapped an older one is not affected. If the file does not fit, Java
  // starts without it.
  const flag = archives.made.includes(name) ? 'SharedArchiveFile' : writingFlag
  return [`-XX:${flag}=${archiveFile(archives.folder, name)}`, '-Xlog:cds=off', '-Xlog:cds+dynamic=off']
}

const writingFlag = 'ArchiveClassesAtExit'

/** Whether a program has no archive yet and will write one when it stops. */
export const writesArchive = ({ args, env }: Pick<ServiceCommand, 'args' | 'env'>): boolean =>
  [...args, ...Object.values(env)].some(text => text.includes(`-XX:${writingFlag}=`))

/** The first service that runs the same program. Only that one writes an archive. */
const firstOf: Partial<Record<ServiceName, ServiceName>> = {
  'kafka-2': 'kafka',
  'kafka-3': 'kafka',
  'spark-worker-2': 'spark-worker',
  'spark-worker-3': 'spark-worker',
}

/** Options of executors: with `fastStart` they took 60 s for 200,000 messages instead of 43. */
export const fullCompiler = ['-XX:+UseSerialGC']

/**
 * Options of all other programs: only the first of Java's two compilers, which shortens the start. The job's driver reads
 * after 6 processor seconds instead of 13, the Thrift server listens after 5 instead of 9, and five queries of 200,000
 * rows take no longer (3.0 s instead of 3.8 s in the first round, 0.93 s instead of 0.94 s in the sixth).
 */
export const fastStart = ['-XX:TieredStopAtLevel=1', ...fullCompiler]

/** On Linux Java ignores TMPDIR, and a killed program leaves the files that it has unpacked. */
export const temporaryFlag = ({ temporary }: Pick<Directories, 'temporary'>): string =>
  `-Djava.io.tmpdir=${temporary}`
