import { Command, Option } from '@commander-js/extra-typings'
import { collected, stackName } from './optionValues.ts'
import { version } from './version.ts'

/** The program with what every command can be told, and no command yet. */
export const newProgram = () =>
  new Command('offstream')
    .description('A real Kafka and a real Spark cluster on this machine, from one place, without Docker')
    .version(version, '-V, --version')
    .option('--json', 'write JSON for programs: one object, or one a line while it goes on')
    .option(
      '--project <folder>',
      'the folder of `offstream.yaml` (default: this folder or the nearest above)',
    )
    .addOption(
      new Option(
        '--stack <name>',
        'one of several stacks of the project, each with data of its own; ports by `up --ports auto`',
      )
        .argParser(stackName)
        .env('OFFSTREAM_STACK'),
    )
    .option(
      '--set <setting=value>',
      'a setting for this call, such as `kafka.port=9093`; may be repeated',
      collected,
    )
    .option('--verbose', 'with an error, also what caused it')
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(`offstream --help` shows all commands)')
    .exitOverride()
