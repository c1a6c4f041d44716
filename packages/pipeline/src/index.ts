export { type Chart, listCharts } from './charts/charts.ts'
export { chartFile, type Drawing, drawChart } from './charts/draw.ts'
export { renderChart, titleOf } from './charts/render.ts'
export { textChart } from './charts/textChart.ts'
export { type Guide, guideFor, type Place } from './connect/guides.ts'
export { lakePlace, type MigratedTables, type MigrationStep, migrateLake } from './lake/migrate.ts'
export { type Optimizer, optimizeTables } from './lake/optimize.ts'
export {
  acceptDataLoss,
  beginAtStart,
  planRepair,
  planRollback,
  type Repair,
  type RepairPlan,
  type RollbackPlan,
  repairCheckpoint,
  rollBack,
} from './lake/recover.ts'
export {
  describeTables,
  type History,
  readHistory,
  type Snapshot,
  type TableOverview,
} from './lake/snapshots.ts'
export {
  type LogEntry,
  type LogQuery,
  logFileOf,
  readLogs,
  writtenLogs,
} from './logs/logs.ts'
export * from './names.ts'
export * from './product/message.ts'
export * from './product/product.ts'
export { type AssetFolder, assetPath, dashboardPage } from './project/assets.ts'
export { Config } from './project/config.ts'
export { type Directories, directoriesOf, optionsFor, stateFolder } from './project/directories.ts'
export { type InitOptions, initProject, type NewProject } from './project/init.ts'
export { configOf, type SettingOrigin } from './project/layers.ts'
export {
  configYaml,
  environmentName,
  numberAt,
  portPaths,
  settingPaths,
  settingsOf,
} from './project/paths.ts'
export { type LenientProject, loadProject, loadProjectLeniently, type Project } from './project/project.ts'
export { ensureArchives } from './runtimes/archives.ts'
export {
  type CachedRuntime,
  type CachedRuntimes,
  listRuntimes,
  type PruneResult,
  pruneRuntimes,
  removeDamaged,
  type VerifiedRuntime,
  verifyRuntimes,
} from './runtimes/cache.ts'
export { cacheDirectory, ensureRuntimes, type Runtimes } from './runtimes/distributions.ts'
export { daemonEnvironment, programEnvironment } from './runtimes/environment.ts'
export { addFetched, type ProduceCounts, produce } from './scrape/produce.ts'
export { type LineCounts, produceLines } from './scrape/produceLines.ts'
export { type PublishOptions, publishProducts } from './scrape/publish.ts'
export { dashboardAddress } from './services/dashboard.ts'
export { isJobName, type Job, readJobs } from './services/jobStore.ts'
export {
  brokerData,
  brokersOf,
  checkKafka,
  clusterOf,
} from './services/kafkaCluster.ts'
export {
  catalogAddress,
  checkLake,
  isLakeExternal,
  lakeConf,
  librariesFor,
  warehouseOf,
} from './services/lakeCatalog.ts'
export { readerProperties } from './services/lakeStore.ts'
export {
  defaultProgram,
  type Exports,
  exportsOf,
  type ProgramOptions,
  prepareProgram,
  pysparkCommand,
  quoted,
} from './services/programs.ts'
export { readerLogin } from './services/restCatalog.ts'
export type { Stack } from './services/stack.ts'
export { readStreamBatches, type StreamBatch } from './services/streamBatches.ts'
export { readStreamProgress, type StreamProgress } from './services/streamProgress.ts'
export {
  addressOf,
  checkExternal,
  externalServices,
  listeningPorts,
  namesWith,
  pipelineServices,
  placeOf,
  prepareExternal,
  services,
  stackServices,
} from './services/table.ts'
export { thriftHost, thriftOf, thriftTls } from './services/thriftServer.ts'
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
export type { StackCall } from './stack/call.ts'
export { type Counter, rateOf, ratesOf, type Sample, sampleOf } from './stack/history.ts'
export { type Hop, type HopName, hopsOf } from './stack/hops.ts'
export {
  type JobRequest,
  plannedJob,
  removeJob,
  type StartedJob,
  startJob,
  stopJob,
  submitJob,
} from './stack/jobs.ts'
export { StatusMonitor } from './stack/monitor.ts'
export { otherServicesHint } from './stack/others.ts'
export { freePorts } from './stack/ports.ts'
export {
  finishReset,
  planReset,
  type ResetChoice,
  type ResetItem,
  type ResetPlan,
  requestedServices,
  resetChoices,
  resetStack,
} from './stack/reset.ts'
export { restartedWith, restartServices } from './stack/restart.ts'
export {
  ownPids,
  readSavedStack,
  readServices,
  readStack,
  requireRunning,
  runningConfig,
  saveStack,
  servicesOf,
  writesArchives,
} from './stack/running.ts'
export { ensureManaged, startServices } from './stack/start.ts'
export type { JobStatus, ServiceStatus } from './stack/states.ts'
export { type Flow, readStatus, type Status, type ThriftStatus } from './stack/status.ts'
export { stopServices, stopStack } from './stack/stop.ts'
export { type Condition, currentStatus, waitFor } from './stack/wait.ts'
export { examine } from './support/doctor.ts'
export type { Finding } from './support/finding.ts'
export { makeReport, type Report } from './support/report.ts'
export { shellText, shownCommand } from './support/shownCommand.ts'
export {
  type Batch,
  type Column,
  isNested,
  loadThriftClient,
  openSqlSession,
  type QueryResult,
  query,
  queryInBatches,
  type SqlSession,
  type ThriftAddress,
  type Value,
} from './table.ts'
export type { Connection } from './tableau/datasource.ts'
export { tableauDataSource, tableauWorkbook } from './tableau/workbook.ts'
export { describeTopic, type TopicDescription } from './topic/admin.ts'
export { loadKafkaClient } from './topic/client.ts'
export { type ClusterAddress, localCluster } from './topic/cluster.ts'
export { fastGzip } from './topic/codecs.ts'
export { topicName } from './topic/message.ts'
export { type PeekedMessage, type PeekOptions, peekTopic } from './topic/peek.ts'
export { openPublisher, type Publisher } from './topic/publisher.ts'
export {
  createTopic,
  createTopicIfMissing,
  deleteTopic,
  type GroupPosition,
  type ListedTopic,
  listTopics,
  type MovedOffset,
  resetOffsets,
} from './topic/topics.ts'
