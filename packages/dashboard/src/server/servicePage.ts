import type { Config } from '@offstream/pipeline'

/** The web page of a service itself; null if it has none. */
export const servicePage = (name: string, { host, spark, stream }: Config): string | null => {
  if (spark.master !== null && name.startsWith('spark-')) return null
  if (stream.deployMode === 'cluster' && name === 'products-stream') return null
  const ports: Readonly<Record<string, number>> = {
    'spark-master': spark.webPort,
    'spark-worker': spark.worker.webPort,
    'spark-worker-2': spark.worker.secondWebPort,
    'spark-worker-3': spark.worker.thirdWebPort,
    'products-stream': stream.webPort,
  }
  const port = ports[name]
  return port === undefined ? null : `http://${host}:${port}`
}
