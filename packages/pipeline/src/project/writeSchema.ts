import { writeFile } from 'node:fs/promises'
import { shippedPath } from './assets.ts'
import { configSchema } from './jsonSchema.ts'

// Run it with `pnpm --filter @offstream/pipeline write:schema` after a change of a setting.
await writeFile(
  shippedPath('config', 'offstream.schema.json'),
  `${JSON.stringify(configSchema(), null, 2)}\n`,
)
