import type { StartedJob } from '@offstream/pipeline'

/** What a user must know after a job was started. */
export const startedText = ({ job, isComplete, waiting }: StartedJob): readonly string[] => {
  const { name } = job
  if (isComplete) return [`\`${name}\` has completed. Next: \`offstream logs ${name}\``]
  if (waiting !== null)
    return [
      `\`${name}\` has started, but its tasks do not run: ${waiting}`,
      'Next: `offstream jobs` shows which jobs have cores',
    ]
  return [`\`${name}\` is running. Next: \`offstream logs ${name} --follow\`, or \`offstream jobs\``]
}
