export { ensureArchives, hasArchives } from './archives.ts'
export { type AssetFolder, assetPath } from './assets.ts'
export { type Chart, listCharts, renderChart } from './charts.ts'
export {
  Config,
  configOf,
  configYaml,
  environmentName,
  loadProject,
  numberAt,
  type Project,
  portPaths,
  type SettingOrigin,
  settingPaths,
  settingsOf,
} from './config.ts'
export { type Directories, directoriesOf, stateFolder } from './directories.ts'
export { cacheDirectory, ensureRuntimes, type Runtimes } from './distributions.ts'
export { examine, type Finding } from './doctor.ts'
export { type InitOptions, initProject, type NewProject } from './init.ts'
export {
  type LogEntry,
  type LogQuery,
  logFileOf,
  readLogs,
  writtenLogs,
} from './logs.ts'
export * from './names.ts'
export { freePorts } from './ports.ts'
export { addFetched, type ProduceCounts, produce } from './produce.ts'
export * from './product.ts'
export { type PublishOptions, publishProducts } from './publish.ts'
export { makeReport, type Report } from './report.ts'
export {
  finishReset,
  planReset,
  type ResetChoice,
  type ResetItem,
  type ResetPlan,
  resetChoices,
  wantedServices,
  wipe,
} from './reset.ts'
export { restartedWith, restartServices } from './restart.ts'
export {
  type CachedRuntime,
  type CachedRuntimes,
  listRuntimes,
  type PruneResult,
  pruneRuntimes,
  removeDamaged,
  type VerifiedRuntime,
  verifyRuntimes,
} from './runtimes.ts'
export { addressOf, brokerOf, masterOf } from './services/addresses.ts'
export { services, stackServices } from './services/services.ts'
export {
  type ExportRequest,
  openSource,
  openWebSource,
  type SourceRequest,
  type SourceSurroundings,
  type TopicRequest,
  type WebRequest,
} from './sources/open.ts'
export * from './sources/source.ts'
export { findChromium, installChromium } from './sources/web/chromium.ts'
export {
  ensureKept,
  keepStackSettings,
  ownPids,
  readServices,
  readStackSettings,
  rememberedConfig,
  requireRunning,
  type StackCall,
  type StackSettings,
  servicesOf,
  startServices,
  stopStack,
} from './stack.ts'
export { type Flow, readStatus, type ServiceStatus, type Status, type ThriftStatus } from './status.ts'
export { type Column, loadThriftClient, type QueryResult, query, type Value } from './table.ts'
export {
  describeTopic,
  loadKafkaClient,
  openPublisher,
  type Publisher,
  type TopicDescription,
  topicName,
} from './topic.ts'
export { quickGzip } from './topicCodecs.ts'
export { type PeekedMessage, type PeekOptions, peekTopic } from './topicPeek.ts'
export { type LineCounts, produceLines } from './topicProduce.ts'
export { type Condition, lookAt, waitFor } from './wait.ts'
