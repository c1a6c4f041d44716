import { pipelineErrors } from '@offstream/pipeline/errors'
import { type ErrorDefinition, type Outcome, runtimeErrors } from '@offstream/runtime/errors'
import { siteErrors } from '@offstream/site/errors'
import { cliErrors } from './errors.ts'

/** The tables of the packages; a code is in exactly one of them. */
export const errorTables: readonly Readonly<Record<string, ErrorDefinition>>[] = [
  runtimeErrors,
  pipelineErrors,
  siteErrors,
  cliErrors,
]

/** Every error code with its definition, sorted by code. */
export const errorCodes: ReadonlyMap<string, ErrorDefinition> = new Map(
  errorTables.flatMap(table => Object.entries(table)).sort(([one], [other]) => (one < other ? -1 : 1)),
)

/** What each exit status means, for the documentation. */
export const outcomeMeanings: Readonly<Record<Outcome, string>> = {
  ok: 'the command succeeded',
  unexpected: 'a bug in offstream, or its daemon exited',
  usage: 'the command, an option or an argument is wrong',
  notRunning: 'a required service is not running',
  degraded: 'the stack is running but not healthy',
  config: 'a setting or a file of the project is invalid',
  prerequisite: 'a prerequisite is missing: a program, memory or disk space',
  portTaken: 'another program uses a required port',
  timeout: 'an operation took too long',
  unreachable: 'could not connect',
  refused: 'offstream or the other side refused the operation',
  download: 'a download failed, or its checksum is wrong',
  failed: 'a service, a job or a SQL statement failed, or a file could not be processed',
  locked: 'another command is in progress',
  blocked: 'the site blocks offstream',
  interrupted: 'interrupted by Ctrl-C (SIGINT)',
  terminated: 'terminated by SIGTERM',
}
