import type { Config } from '@offstream/pipeline'
import type { Context } from './context.ts'

/**
 * The path of the browser: the configured one, or an installed one. If there is neither, Chromium is installed.
 * @throws PipelineError CHROMIUM_MISSING
 */
export const ensureChromium = async (
  { pipeline, output, signal }: Pick<Context, 'pipeline' | 'output' | 'signal'>,
  { browser }: Config,
): Promise<string> => {
  const { executablePath } = browser
  const found = await pipeline.findChromium(executablePath === null ? {} : { configuredPath: executablePath })
  if (found !== null) return found
  try {
    return await pipeline.installChromium(line => {
      output.event({ kind: 'installing', what: 'chromium', line }, line)
      output.live(line)
    }, signal)
  } finally {
    output.endLive()
  }
}
