import type { ServicePort } from '@offstream/runtime'
import type { ServiceName } from '../names.ts'
import type { Config } from '../project/config.ts'
import { numberAt } from '../project/paths.ts'

/** The address of the Kafka broker, `host:port`. */
export const brokerOf = ({ host, kafka }: Config): string => `${host}:${kafka.port}`

/** The address of the Spark master, as jobs name it. */
export const masterOf = ({ host, spark }: Config): string => `spark://${host}:${spark.port}`

/** Where each service is found, as a person or program would write it. */
export const addressOf = (name: ServiceName, config: Config): string =>
  ({
    zookeeper: `${config.host}:${config.zookeeper.port}`,
    kafka: brokerOf(config),
    'spark-master': masterOf(config),
    'spark-worker': `http://${config.host}:${config.spark.worker.webPort}`,
    thrift: `${config.host}:${config.thrift.port}`,
    'products-stream': `http://${config.host}:${config.stream.webPort}`,
  })[name]

const portSettings: Readonly<Record<ServiceName, readonly string[]>> = {
  zookeeper: ['zookeeper.port'],
  kafka: ['kafka.port'],
  'spark-master': ['spark.port', 'spark.webPort'],
  'spark-worker': ['spark.worker.webPort'],
  thrift: ['thrift.port'],
  'products-stream': ['stream.webPort'],
}

/** The ports of a service, each with the option that gives it another. */
export const portsOf = (name: ServiceName, config: Config): ServicePort[] =>
  portSettings[name].map(setting => ({
    port: numberAt(config, setting),
    choose: `\`--set ${setting}=…\``,
  }))
