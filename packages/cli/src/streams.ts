/** From now on the process continues after its terminal, or the reader of its output, is gone. */
export const ignoreStreamErrors = (): void => {
  for (const stream of [process.stdout, process.stderr]) {
    stream.removeAllListeners('error')
    stream.on('error', () => undefined)
  }
}
