import { exitStatus } from '@offstream/runtime/errors'
import { errorCodes, outcomeMeanings } from './errorCodes.ts'

/** `docs/errors.md`, as Markdown. */
export const errorsDocument = (): string => `# Exit statuses and error codes

<!-- Generated from the tables in packages/*/src/errors.ts by \`pnpm --filter offstream write:errors\`. Do not edit. -->

An error shows what happened, its code in brackets, the last log lines of a service that failed, and after \`→\` what to do
next:

\`\`\`
✖ Port 9092, which kafka needs, is already in use by \`java Kafka\` (pid 4711) [PORT_TAKEN]
→ stop that program, or choose another port: \`--set kafka.port=…\`; \`offstream up --ports auto\` chooses free ones
\`\`\`

With \`--json\` it is an object on standard output:
\`{"version": 1, "error": {"code", "message", "hint", "lastLogLines"}}\`.
Each code has one exit status. \`offstream explain <code>\` prints its entry of this page.

## Exit statuses

| exit status | name | meaning |
| ---: | --- | --- |
${statusRows()}

## Error codes

${[...errorCodes]
  .map(
    ([code, { outcome, cause, remedy }]) => `### ${code}

Exit status ${exitStatus[outcome]}. ${cause}

→ ${remedy}
`,
  )
  .join('\n')}`

const statusRows = (): string =>
  Object.entries(outcomeMeanings)
    .map(([name, meaning]) => `| ${exitStatus[name as keyof typeof exitStatus]} | \`${name}\` | ${meaning} |`)
    .join('\n')
