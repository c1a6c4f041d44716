import { settingPaths } from './paths.ts'

const names = new Set(settingPaths.map(path => path.split('.').at(-1)))

/** The text of an `offstream.yaml` with every setting uncommented. */
export const withEverySetting = (text: string): string =>
  text.replace(/^( *)# (\w+)(?=:)/gm, (line, indent: string, name: string) =>
    names.has(name) ? `${indent}${name}` : line,
  )
