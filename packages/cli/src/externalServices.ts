import type { Stack } from '@offstream/pipeline'
import type { Context } from './context.ts'

/** Prepares the external services for the stack, checks them, and prints each. */
export const prepareExternalServices = async (
  { config, state }: Stack,
  { pipeline, output, signal }: Pick<Context, 'pipeline' | 'output' | 'signal'>,
): Promise<void> => {
  const show = (name: string, address: string): void => {
    const mark = output.paint({ text: '✔', tone: 'good' })
    output.event(
      { kind: 'external', service: name, address },
      `${mark} ${name.padEnd(16)}external, at ${address}`,
    )
  }
  for (const name of pipeline.externalServices(config)) {
    await pipeline.prepareExternal(name, config, state, signal)
    show(name, pipeline.addressOf(name, config))
  }
  if (!pipeline.isLakeExternal(config)) return
  await pipeline.checkLake(config, state, signal)
  show('catalog', pipeline.catalogAddress(config, pipeline.directoriesOf(state)))
}
