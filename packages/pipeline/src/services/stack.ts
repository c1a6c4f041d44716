import type { Service } from '@offstream/runtime'
import { z } from 'zod'
import { serviceNames } from '../names.ts'
import { Config } from '../project/config.ts'
import type { Runtimes } from '../runtimes/distributions.ts'

/**
 * Class-data archives of the Java programs, one file a program: classes that Java loaded and verified in an earlier run.
 * Mapping them into memory takes less than half of the processor time of a start.
 *
 * @see https://docs.oracle.com/en/java/javase/17/vm/class-data-sharing.html
 */
const Archives = z.object({
  folder: z.string(),
  /** The services that have an archive and read it. The others write one when they exit. */
  made: z.array(z.enum(serviceNames)),
})
/** Where the archives are, and which exist. */
export type Archives = z.infer<typeof Archives>

const RuntimesInFile: z.ZodType<Runtimes> = z.object({
  java: z.string(),
  javaVersion: z.string(),
  python: z.string(),
  sparkHome: z.string(),
  kafkaLibs: z.string(),
  connectors: z.string(),
  additionalJars: z.array(z.string()),
  ivy: z.object({ settings: z.string(), cache: z.string() }),
})

/**
 * Everything that the services of a stack are built from. It has this one form in memory, in the file `run/stack.json`
 * of a running stack, and in a request to its daemon.
 */
export const Stack = z.object({
  /** The folder of the project; its own files in `config/` and `spark-jobs/` replace those of offstream. */
  project: z.string(),
  /** The state folder, which identifies the stack. */
  state: z.string(),
  config: Config,
  runtimes: RuntimesInFile,
  /** Null: the programs start without archives. */
  archives: Archives.nullable(),
})
/** What the services of a stack are built from. */
export type Stack = z.infer<typeof Stack>

/** What the builder of a service adds to its row in the table. */
export type ServiceParts = Omit<Service, 'name' | 'listensOn' | 'logFile' | 'diagnose'>
