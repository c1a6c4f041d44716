import type { ServiceCommand } from '@offstream/runtime'
import type { Environment } from '../runtimes/environment.ts'
import type { Job } from '../services/jobStore.ts'
import { clusterOf } from '../services/kafkaCluster.ts'
import { quoted } from '../services/programs.ts'
import type { Stack } from '../services/stack.ts'
import { services } from '../services/table.ts'
import { passwordOf } from '../topic/cluster.ts'
import { isSecret, Redaction, removed, secretValues } from './redaction.ts'

/** The command that starts a service or one of `jobs`, with `[removed]` instead of each secret. It starts nothing. */
export const shownCommand = async (
  stack: Stack,
  name: string,
  environment: Environment = process.env,
  jobs: readonly Job[] = [],
): Promise<ServiceCommand> => {
  const service = services(stack, jobs).find(one => one.name === name)
  if (service === undefined) throw new Error(`${name} does not run here`)
  // A password that is missing now cannot be in the command.
  const cluster = await clusterOf(stack.config, stack.state, environment).catch(() => null)
  const password = cluster === null ? null : passwordOf(cluster)
  return withoutSecrets(service.command, [
    ...(password === null ? [] : [password]),
    ...secretsIn(environment),
  ])
}

/** The secret values of variables. The name of the user is not a secret here: it is part of paths. */
const secretsIn = (environment: Environment): readonly string[] =>
  secretValues(Object.entries(environment).filter(([name]) => !/user[_.-]?name$/i.test(name)))

/**
 * The command with `[removed]` instead of each secret.
 * @param secrets known values; others are recognised by the names of options, settings and variables
 */
export const withoutSecrets = (
  { file, args, env, cwd }: ServiceCommand,
  secrets: readonly string[],
): ServiceCommand => {
  const { apply } = new Redaction({ secrets })
  return {
    file,
    args: args.map((arg, index) => (isSecretOption(args[index - 1]) ? removed : apply(arg))),
    env: Object.fromEntries(
      Object.entries(env).map(([name, value]) => [name, isSecret(name) ? removed : apply(value)]),
    ),
    cwd,
  }
}

/** Whether the next argument is the secret: `--auth-token` and not `--auth-token=…`. */
const isSecretOption = (arg = ''): boolean => arg.startsWith('-') && !arg.includes('=') && isSecret(arg)

/** The command for a POSIX shell: the folder, the whole environment, and each option with its value on a line. */
export const shellText = ({ file, args, env, cwd }: ServiceCommand): string => {
  const variables = Object.entries(env).map(([name, value]) => quoted(`${name}=${value}`))
  const lines = [...variables, quoted(file), ...optionLines(args)]
  return [`cd ${quoted(cwd)} && env -i`, ...lines.map(line => `  ${line}`)].join(' \\\n')
}

const optionLines = ([first, second, ...rest]: readonly string[]): string[] => {
  if (first === undefined) return []
  if (second === undefined) return [quoted(first)]
  return first.startsWith('--') && !second.startsWith('--')
    ? [`${quoted(first)} ${quoted(second)}`, ...optionLines(rest)]
    : [quoted(first), ...optionLines([second, ...rest])]
}
