import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { messageOf } from '@offstream/runtime'
import { decodeXML } from 'entities'
import { PipelineError } from '../errors.ts'
import type { Config } from '../project/config.ts'
import { projectFolder } from '../project/directories.ts'

/** The folder with the configuration of an existing Hadoop cluster; null: none. @param state the state folder of the stack */
export const hadoopConfDir = ({ spark }: Pick<Config, 'spark'>, state: string): string | null =>
  spark.hadoopConfDir === null ? null : resolve(projectFolder(state), spark.hadoopConfDir)

/**
 * A path on this machine, as Spark's programs need it: with the configuration of a Hadoop cluster, a path without a scheme is
 * in the file system of that cluster.
 */
export const localPath = ({ spark }: Pick<Config, 'spark'>, path: string): string =>
  spark.hadoopConfDir === null ? path : `file:${path}`

/**
 * The properties in some files of a folder; a later file has precedence. References to other properties are replaced.
 * @throws OffstreamError FILE_MISSING
 */
export const readHadoopConf = async (
  folder: string,
  files: readonly string[],
): Promise<ReadonlyMap<string, string>> => {
  const texts = await Promise.all(files.map(file => readText(join(folder, file))))
  const raw = new Map(texts.flatMap(propertiesIn))
  return new Map([...raw].map(([name, value]) => [name, withoutReferences(value, raw)]))
}

const readText = async (file: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new PipelineError('FILE_MISSING', `\`${file}\` cannot be read: ${messageOf(error)}`, {
      hint: 'set `spark.hadoopConfDir` to the folder with the configuration of the Hadoop cluster',
      cause: error,
    })
  }
}

/** Hadoop's files are flat: `<property><name>…</name><value>…</value></property>`. */
const propertiesIn = (xml: string): [string, string][] =>
  [...xml.replace(/<!--.*?-->/gs, '').matchAll(/<property>(.*?)<\/property>/gs)].flatMap(([, inner = '']) => {
    const [name, value] = [textIn('name', inner), textIn('value', inner)]
    return name === null || value === null ? [] : [[name, value] as [string, string]]
  })

const textIn = (tag: string, xml: string): string | null => {
  const [, text] = new RegExp(`<${tag}>(.*?)</${tag}>`, 's').exec(xml) ?? []
  return text === undefined ? null : decodeXML(text.trim())
}

/** A value may refer to a value that also has references. `depth` stops a cycle. */
const withoutReferences = (value: string, all: ReadonlyMap<string, string>, depth = 10): string => {
  const replaced = value.replace(/\$\{([^}]+)\}/g, (whole, name: string) => all.get(name) ?? whole)
  return replaced === value || depth === 0 ? replaced : withoutReferences(replaced, all, depth - 1)
}
