import { X509Certificate } from 'node:crypto'
import type { Config } from '../project/config.ts'
import { clusterOf } from '../services/kafkaCluster.ts'
import { hasMessagesAfter } from '../topic/admin.ts'
import { type BrokerFacts, probeBroker } from '../topic/brokerProbe.ts'
import { type ClusterAddress, readCertificates } from '../topic/cluster.ts'
import type { Finding } from './finding.ts'

/**
 * Versions, certificates and clocks of an existing Kafka cluster. What cannot be determined is omitted: the finding
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
    ...certificateFindings([...brokerExpiries(brokers), ...fileExpiries(cluster)], now),
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

/** A certificate and when it expires. */
export interface Expiry {
  /** The address or the setting that the certificate belongs to, for the user. */
  readonly of: string
  readonly at: Date
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

const expiriesIn = (of: string, pem: string | null): Expiry[] =>
  (pem?.match(/-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----/gs) ?? []).map(text => ({
    of,
    at: new Date(new X509Certificate(text).validTo),
  }))

/** Enough for an administrator to issue a new certificate. */
const minValidDays = 30
const dayMs = 86_400_000

/** The certificate that expires first decides. */
export const certificateFindings = (expiries: readonly Expiry[], now: Date): Finding[] => {
  const [first] = expiries.toSorted((one, other) => one.at.getTime() - other.at.getTime())
  if (first === undefined) return []
  const name = 'Kafka certificates'
  const day = first.at.toISOString().slice(0, 10)
  const days = Math.floor((first.at.getTime() - now.getTime()) / dayMs)
  const hint = `renew the certificate of ${first.of}`
  if (days < 0) return [{ name, verdict: 'problem', found: `that of ${first.of} expired on ${day}`, hint }]
  const found = `the first to expire is that of ${first.of}, on ${day}, in ${days} ${days === 1 ? 'day' : 'days'}`
  return [
    days < minValidDays
      ? { name, verdict: 'warning', found, hint }
      : { name, verdict: 'ok', found, hint: null },
  ]
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
