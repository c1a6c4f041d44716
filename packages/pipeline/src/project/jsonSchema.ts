import { z } from 'zod'
import { Config } from './config.ts'

/**
 * The JSON Schema of `offstream.yaml`, from which editors complete settings and mark what is wrong. What is committed as
 * `config/offstream.schema.json` is this, written by `pnpm --filter @offstream/pipeline write:schema`.
 */
export const configSchema = (): Record<string, unknown> => ({
  title: 'offstream.yaml',
  // Editors know draft 7 best.
  ...z.toJSONSchema(Config, { io: 'input', target: 'draft-07', override: forEditors }),
})

interface Part {
  readonly zodSchema: z.core.$ZodTypes
  readonly jsonSchema: z.core.JSONSchema.BaseSchema
  readonly path: readonly (string | number)[]
}

const forEditors = ({ zodSchema, jsonSchema, path }: Part): void => {
  // A section whose lines are all comments is null in YAML, and `loadProject` takes it for "nothing said".
  if (zodSchema._zod.def.type === 'object' && path.length > 0)
    Object.assign(jsonSchema, { type: ['object', 'null'] })
  // Each setting tells its default; that of a section would be completed as `{}`.
  if (zodSchema._zod.def.type === 'prefault') delete jsonSchema.default
  // Any whole number, as JavaScript counts.
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
}
