import { Command, Option } from '@commander-js/extra-typings'
import { collected, stackName } from './optionValues.ts'
import { version } from './version.ts'

/** What a new user needs before the first command. At most 80 columns wide, like every help. */
const firstSteps = `
First steps:
  offstream doctor    checks whether this machine has what offstream needs
  offstream demo      runs the whole pipeline with generated products
  offstream down      stops everything

Examples:
  offstream up --help
  offstream --project ~/shop --stack tests status
  offstream query "SELECT count(*) FROM Products" --json

Terms:
  stack          the services of a project and their data; a project has one
                 unnamed stack and any number of named ones
  profile        settings in \`offstream.yaml\` for one environment, such as prod
  Kafka          stores messages in topics; offstream uses products-events.
                 ZooKeeper stores the metadata of Kafka
  Spark          runs programs on data: a master schedules, workers execute
  job            the Spark program that reads the topic and writes the table
                 (an Apache Iceberg table); its service is products-stream
  Thrift server  answers SQL queries on the table, which clients such as Tableau
                 see as the view \`Products\`
  daemon         the background process that supervises the services

Exit status: 0 ok, 1 bug, 2 usage, 3 not running, 4 degraded, 5 invalid config,
6 missing prerequisite, 7 port taken, 8 timeout, 9 unreachable, 10 refused,
11 download failed, 12 failed, 13 locked, 14 blocked by the site, 130 Ctrl-C.
\`offstream explain <code>\` explains an error.`

/** The program with its global options, without commands. */
export const newProgram = () =>
  new Command('offstream')
    .description(
      'Stream food products from web pages through Kafka and Spark into a table that you can query with SQL, on this machine and without Docker',
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .option('--json', 'print JSON: one object; long commands print one event per line, then the result')
    .option(
      '--project <folder>',
      'the folder of `offstream.yaml` (default: the current folder or the nearest parent that has one)',
    )
    .addOption(
      new Option(
        '--stack <name>',
        'name of a stack, if the project has several; each has its own data and needs its own ports (`up --ports auto`)',
      )
        .argParser(stackName)
        .env('OFFSTREAM_STACK'),
    )
    .addOption(
      new Option(
        '--profile <name>',
        'a profile of `offstream.yaml`, whose settings override those outside of profiles; each has its own data',
      )
        .argParser(stackName)
        .env('OFFSTREAM_PROFILE'),
    )
    .option(
      '--set <setting=value>',
      'a setting for this command, for example `kafka.port=9093`; can be repeated',
      collected,
    )
    .option('--verbose', 'also print the cause of an error')
    .configureHelp({ showGlobalOptions: true })
    // main.ts prints usage errors like all other errors.
    .configureOutput({ outputError: () => undefined })
    .addHelpText('after', firstSteps)
    .exitOverride()
