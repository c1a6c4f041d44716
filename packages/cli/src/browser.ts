import { type Config, findChromium, installChromium } from '@offstream/pipeline'
import type { Output } from './output.ts'

/**
 * The browser to read pages with: the configured one, one that is installed, or one that is installed now.
 * @returns its path
 * @throws OffstreamError CHROMIUM_MISSING, saying what was tried
 */
export const ensureChromium = async (
  output: Output,
  { browser }: Config,
  signal: AbortSignal,
): Promise<string> => {
  const { executablePath } = browser
  const found = await findChromium(executablePath === null ? {} : { configuredPath: executablePath })
  if (found !== null) return found
  try {
    return await installChromium(line => {
      output.event({ kind: 'installing', what: 'chromium', line }, line)
      output.live(line)
    }, signal)
  } finally {
    output.endLive()
  }
}
