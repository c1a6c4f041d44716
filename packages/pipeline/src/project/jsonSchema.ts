import { z } from 'zod'
import { stackNamePattern } from '../names.ts'
import { Config } from './config.ts'

/**
 * The JSON Schema of `offstream.yaml`, with which editors complete and check settings.
 * `pnpm --filter @offstream/pipeline write:schema` writes it to `config/offstream.schema.json`.
 */
export const configSchema = (): Record<string, unknown> => {
  // Editors support draft 7 best.
  const settings = z.toJSONSchema(Config, { io: 'input', target: 'draft-07', override: forEditors })
  const { properties = {} } = settings
  return {
    title: 'offstream.yaml',
    ...settings,
    properties: { ...properties, profiles: profiles(properties) },
  }
}

/** Each profile has the same sections as the file. */
const profiles = (properties: object) => ({
  type: ['object', 'null'],
  description:
    'Settings that override those outside of `profiles`, by the name of the profile, which `--profile` or OFFSTREAM_PROFILE selects',
  propertyNames: { type: 'string', pattern: stackNamePattern.source },
  additionalProperties: {
    type: ['object', 'null'],
    properties: Object.fromEntries(
      Object.keys(properties).map(name => [name, { $ref: `#/properties/${name}` }]),
    ),
    additionalProperties: false,
  },
})

interface Part {
  readonly zodSchema: z.core.$ZodTypes
  readonly jsonSchema: z.core.JSONSchema.BaseSchema
  readonly path: readonly (string | number)[]
}

const forEditors = ({ zodSchema, jsonSchema, path }: Part): void => {
  // A section whose lines are all comments is null in YAML; `loadProject` ignores it.
  if (zodSchema._zod.def.type === 'object' && path.length > 0)
    Object.assign(jsonSchema, { type: ['object', 'null'] })
  // Editors would complete the default of a section as `{}`; its settings have their own defaults.
  if (zodSchema._zod.def.type === 'prefault') delete jsonSchema.default
  // zod's limit for safe integers is not a rule for users.
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
}
