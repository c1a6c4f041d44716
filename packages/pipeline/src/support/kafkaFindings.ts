import { readCertificates } from '../credentials.ts'
import type { Config } from '../project/config.ts'
import { clusterOf } from '../services/kafkaCluster.ts'
import { hasMessagesAfter } from '../topic/admin.ts'
import { type BrokerFacts, probeBroker } from '../topic/brokerProbe.ts'
import type { ClusterAddress } from '../topic/cluster.ts'
import { validToken } from '../topic/token.ts'
import { certificateFindings, type Expiry, expiriesIn } from './certificates.ts'
import type { Finding } from './finding.ts'

/**
 * Versions, certificates, token and clocks of an existing Kafka cluster. What cannot be determined is omitted: the finding
 * `External kafka` has the reason.
 */
export const kafkaFindings = async (
  config: Config,
  state: string,
  signal: AbortSignal,
): Promise<Finding[]> => {
  const cluster = await clusterOf(config, state).catch(() => null)
  if (cluster === null) return []
  const probed = await Promise.all(
    cluster.brokers.map(async address => {
      const facts = await probeBroker(address, cluster.tls, signal).catch(() => null)
      return facts === null ? [] : [{ address, ...facts }]
    }),
  )
  const brokers = probed.flat()
  const now = new Date()
  return [
    ...versionFindings(brokers),
    ...certificateFindings('Kafka certificates', [...brokerExpiries(brokers), ...fileExpiries(cluster)], now),
    ...(await tokenFindings(cluster).catch(() => [])),
    ...(await clockFindings(cluster, now, signal).catch(() => [])),
  ]
}

type Broker = BrokerFacts & { readonly address: string }

const versionFindings = (brokers: readonly Broker[]): Finding[] => {
  if (brokers.length === 0) return []
  const found = brokers.map(({ address, version }) => `\`${address}\` is ${version}`).join(', ')
  const old = brokers.some(({ isOld }) => isOld)
  const hint =
    'upgrade the brokers, or set `kafka.topic.replication`: brokers before 2.4 cannot choose the number of replicas themselves'
  return [{ name: 'Kafka version', verdict: old ? 'warning' : 'ok', found, hint: old ? hint : null }]
}

const brokerExpiries = (brokers: readonly Broker[]): Expiry[] =>
  brokers.flatMap(({ address, certificateExpires: at }) =>
    at === null ? [] : [{ of: `\`${address}\``, at }],
  )

/** The certificates in the files of the settings; none if a file cannot be read. */
const fileExpiries = ({ tls }: ClusterAddress): Expiry[] => {
  if (tls === null) return []
  try {
    const { ca, cert } = readCertificates(tls)
    return [...expiriesIn('`kafka.tls.caFile`', ca), ...expiriesIn('`kafka.tls.certFile`', cert)]
  } catch {
    return []
  }
}

const tokenFindings = async ({ sasl }: ClusterAddress): Promise<Finding[]> => {
  if (sasl?.mechanism !== 'oauthbearer') return []
  const { expires } = await validToken(sasl)
  const found = `\`${sasl.command[0]}\` printed a token that expires at ${expires.toISOString()}`
  return [{ name: 'Kafka token', verdict: 'ok', found, hint: null }]
}

/** Clocks of machines that use NTP differ by far less. */
const maxSkewMs = 60_000

/**
 * Kafka does not report its time. But each message has a timestamp, by the clock of its producer or, with
 * `message.timestamp.type=LogAppendTime`, of a broker. A clock that is too slow cannot be detected this way.
 */
const clockFindings = async (cluster: ClusterAddress, now: Date, signal: AbortSignal): Promise<Finding[]> => {
  const name = 'Kafka clocks'
  return (await hasMessagesAfter(cluster, new Date(now.getTime() + maxSkewMs), signal))
    ? [
        {
          ...{
            name,
            verdict: 'warning',
            found: 'the topic has messages from the future, by the clock of this machine',
          },
          hint: 'synchronize the clocks of this machine, the brokers and the producers (NTP): the newest record of a product wins',
        },
      ]
    : [
        {
          name,
          verdict: 'ok',
          found: 'no message is from the future, by the clock of this machine',
          hint: null,
        },
      ]
}
