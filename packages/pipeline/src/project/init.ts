import { constants } from 'node:fs'
import { access, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { messageOf } from '@offstream/runtime'
import { PipelineError } from '../errors.ts'
import { shippedPath } from './assets.ts'
import { requireSupportedPath } from './supportedPath.ts'

/** What a person decides of a new project. */
export interface InitOptions {
  /** Made where it is not there; what is in it already is left alone. */
  readonly folder: string
  /** For `web.contact`; null leaves it unset. */
  readonly contact: string | null
  /** Without copies of views, templates, charts and Spark programs: then those of offstream are used. */
  readonly bare: boolean
}

export interface NewProject {
  readonly folder: string
  /** What was written, as paths inside the folder. */
  readonly files: readonly string[]
  /** What the person had already, and offstream only suggests. */
  readonly kept: readonly string[]
}

/**
 * Writes a project: `offstream.yaml` with every setting and its default, the workbook and, unless it is bare, copies of
 * all that is read from a project where it has it. Either all of it is written or, after an error, nothing.
 *
 * @throws OffstreamError PROJECT_EXISTS where one of the files is there, PROJECT_UNWRITABLE
 */
export const initProject = async ({ folder, contact, bare }: InitOptions): Promise<NewProject> => {
  requireSupportedPath(resolve(folder))
  const suggested = { '.gitignore': gitignore, 'README.md': bare ? readmeOfBare : readme }
  const needed = {
    'offstream.yaml': settingsFile(await shipped('config', 'offstream.yaml'), contact),
    [schemaFile]: await shipped(schemaFile),
    [workbook]: await shipped(workbook),
    ...(bare ? {} : await copies()),
  }
  await refuseExisting(folder, Object.keys(needed))
  const kept = await existing(folder, Object.keys(suggested))
  const files = Object.entries({ ...needed, ...suggested }).filter(([file]) => !kept.includes(file))
  await writeAll(folder, files)
  return { folder, files: files.map(([file]) => file).sort(), kept }
}

const workbook = 'Data-viz.twb'
const schemaFile = 'config/offstream.schema.json'

const shipped = (...names: readonly string[]): Promise<string> => readFile(shippedPath(...names), 'utf8')

/** The settings of the repository lie beside their schema, those of a project above it. */
const settingsFile = (yaml: string, contact: string | null): string => {
  const own = yaml.replace('$schema=offstream.schema.json', `$schema=${schemaFile}`)
  // A string of JSON is one of YAML.
  return contact === null
    ? own
    : own.replace(/# contact: null( *)/, (_, space: string) => `contact: ${JSON.stringify(contact)}${space}`)
}

/** What `assetPath` looks for in a project; not what belongs to the repository alone, such as tests and documents. */
const copied = [
  { folder: 'config', belongs: (name: string) => /\.(properties|sql|xml)$/.test(name) },
  { folder: 'charts', belongs: (name: string) => /\.(sql|json)$/.test(name) },
  { folder: 'spark-jobs', belongs: (name: string) => name.endsWith('.py') },
]

const copies = async (): Promise<Record<string, string>> => {
  const files = copied.map(async ({ folder, belongs }) => {
    const names = (await readdir(shippedPath(folder))).filter(belongs)
    return Promise.all(names.map(async name => [join(folder, name), await shipped(folder, name)] as const))
  })
  return Object.fromEntries((await Promise.all(files)).flat())
}

const existing = async (folder: string, files: readonly string[]): Promise<string[]> => {
  const there = await Promise.all(
    files.map(file =>
      access(join(folder, file), constants.F_OK).then(
        () => true,
        () => false,
      ),
    ),
  )
  return files.filter((_, index) => there[index])
}

const refuseExisting = async (folder: string, files: readonly string[]): Promise<void> => {
  const [first, ...others] = await existing(folder, files)
  if (first === undefined) return
  const more = others.length === 0 ? '' : ` and ${others.length} more of what would be written`
  throw new PipelineError('PROJECT_EXISTS', `\`${folder}\` has \`${first}\`${more} already`, {
    hint: 'choose another folder (`offstream init <folder>`), or move away what is there',
  })
}

const writeAll = async (folder: string, files: readonly (readonly [string, string])[]): Promise<void> => {
  const made: string[] = []
  try {
    for (const [file, text] of files) {
      const path = join(folder, file)
      const firstMade = await mkdir(dirname(path), { recursive: true })
      if (firstMade !== undefined) made.push(firstMade)
      // Somebody may have written it since we looked.
      await writeFile(path, text, { flag: 'wx' })
      made.push(path)
    }
  } catch (error) {
    await Promise.all(made.map(path => rm(path, { recursive: true, force: true })))
    throw new PipelineError(
      'PROJECT_UNWRITABLE',
      `A project can't be written to \`${folder}\`: ${messageOf(error)}`,
      {
        hint: 'choose a folder that you may write to: `offstream init <folder>`',
        cause: error,
      },
    )
  }
}

const gitignore = `# What offstream keeps: data, logs, process ids
.offstream/
# What \`offstream report\` writes: it may name more than you want to share
offstream-report-*.md
node_modules/
`

const beginning = `# A project of offstream

Food products on their way from web pages to a table that you can ask in SQL: Kafka, Spark and a SQL server on this
machine, started and ended by one command.

\`\`\`sh
npx offstream doctor                # is everything there that it needs?
npx offstream demo                  # the whole way once, with invented products
npx offstream scrape --limit 20     # then real ones, from Open Food Facts
npx offstream query "SELECT product_name, nutriscore_grade FROM Products LIMIT 5"
npx offstream down                  # end everything; the products stay
\`\`\`

| file | what it is |
|---|---|
| \`offstream.yaml\` | every setting with its default; \`npx offstream config show --sources\` tells what holds |
| \`Data-viz.twb\` | a Tableau workbook over the table, on port 10000 |
`

const licence = `
The data of Open Food Facts is under the Open Database License: name them as its source, and share alike.
`

const readmeOfBare = `${beginning}
Views, charts and Spark programs are those of offstream. To change one, run \`npx offstream init\` in another folder and
take it from there: what lies in \`config/\`, \`charts/\` or \`spark-jobs/\` of this folder is used instead.
${licence}`

const readme = `${beginning}| \`config/views.sql\` | the views that the SQL server shows, such as \`Products\` |
| \`config/*.properties\` | settings of ZooKeeper, Kafka and the logs, filled in when they start |
| \`charts/\` | a chart is a question (\`.sql\`) and how its answer is drawn (\`.json\`); \`npx offstream charts\` draws all |
| \`spark-jobs/\` | \`stream.py\`, the job from the topic to the table, and \`thrift_server.py\`, the SQL server |

All of them are yours to change. Delete what you don't: a file of \`config/\`, and \`charts/\` or \`spark-jobs/\` as a
whole, that is not here is taken from offstream, and so is new with each of its versions.
${licence}`
