import type { Config } from '@offstream/pipeline'

/** The web page of a service itself; null if it has none. */
export const servicePage = (name: string, { host, spark, stream }: Config): string | null => {
  const ports: Readonly<Record<string, number>> = {
    'spark-master': spark.webPort,
    'spark-worker': spark.worker.webPort,
    'products-stream': stream.webPort,
  }
  const port = ports[name]
  return port === undefined ? null : `http://${host}:${port}`
}
