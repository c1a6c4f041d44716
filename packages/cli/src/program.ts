import { Command, Option } from '@commander-js/extra-typings'
import { collected, stackName } from './optionValues.ts'
import { version } from './version.ts'

/**
 * What a newcomer needs to know before the first command: which to call, and the words that every help uses. At most 80
 * columns wide, as every help.
 */
const firstSteps = `
First steps:
  offstream doctor    says whether this machine has all that is needed
  offstream demo      shows the whole way, with invented products
  offstream down      ends what runs

Examples:
  offstream up --help
  offstream --project ~/shop --stack tests status
  offstream query "SELECT count(*) FROM Products" --json

Words:
  stack          the services that belong together, and their data; a project
                 has one, or several with names
  Kafka          keeps messages in lists named topics; ours is products-events.
                 ZooKeeper is where it keeps its own state
  Spark          runs programs on data: a master hands out the work, a worker
                 does it
  job            the Spark program that brings messages from the topic into the
                 table (an Apache Iceberg table); also called the stream
  Thrift server  answers SQL questions about the table, for Tableau and other
                 programs; they see the table as the view \`Products\`
  daemon         the process that owns the services and restarts what crashes

Exit status: 0 done, 2 called wrongly, 3 not running, 4 degraded, 5 wrong
settings, 6 the machine lacks something, 7 port taken, 8 too slow, 9 nobody
answers, 10 refused, 11 download failed, 12 something failed, 13 another command
is at work, 14 the site refuses us, 130 Ctrl-C. An error says what to do next
after its arrow.`

/** The program with what every command can be told, and no command yet. */
export const newProgram = () =>
  new Command('offstream')
    .description(
      'Brings food products from web pages into a table that you can ask in SQL, through a real Kafka and a real Spark on this machine',
    )
    .version(version, '-V, --version')
    .option('--json', 'write JSON for programs: one object; of what goes on, one a line, the result last')
    .option(
      '--project <folder>',
      'the folder of `offstream.yaml` (default: this folder or the nearest above)',
    )
    .addOption(
      new Option(
        '--stack <name>',
        'one of several stacks of the project, each with data of its own; `up --ports auto` gives it ports',
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
    .addHelpText('after', firstSteps)
    .exitOverride()
