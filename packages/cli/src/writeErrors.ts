import { writeFile } from 'node:fs/promises'
import { errorsDocument } from './errorsDocument.ts'

// Run after a table of error codes was changed, by `pnpm --filter offstream write:errors`.
await writeFile(new URL('../../../docs/errors.md', import.meta.url), errorsDocument())
