import { writeFile } from 'node:fs/promises'
import { shippedPath } from './assets.ts'
import { configSchema } from './jsonSchema.ts'

// Run after a setting was changed, by `pnpm --filter @offstream/pipeline write:schema`.
await writeFile(
  shippedPath('config', 'offstream.schema.json'),
  `${JSON.stringify(configSchema(), null, 2)}\n`,
)
