import type { Config } from '@offstream/pipeline'
import type { Context } from './context.ts'

/**
 * The browser to read pages with: the configured one, one that is installed, or one that is installed now.
 * @returns its path
 * @throws OffstreamError CHROMIUM_MISSING, saying what was tried
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
