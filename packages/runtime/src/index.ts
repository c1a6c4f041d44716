export { ensureJars, type Ivy, type JarSet, retrieve } from './artifacts/jars.ts'
export { ensurePythonEnvironment, type PythonEnvironment, pythonOf } from './artifacts/python.ts'
export {
  type Artifact,
  describeFiles,
  ensureArtifact,
  type FetchOptions,
  type FetchProgress,
  isComplete,
  type LockedFile,
  removeArtifact,
  sha256Of,
  verifyFiles,
} from './artifacts/store.ts'
export { processesNaming } from './commandLines.ts'
export * from './errors.ts'
export { askKeeper, ensureKeeper, type KeeperCall, keeperAnswers, lockKeeper } from './keeper/client.ts'
export { launchKeeper, tellLauncher } from './keeper/launch.ts'
export { type KeeperOptions, recordsDirectory, runKeeper } from './keeper/server.ts'
export { endOfLog, type LogLine, LogReader, lastLines, linesBefore } from './log.ts'
export {
  groupOf,
  identify,
  isAlive,
  listenerOn,
  type ProcessIdentity,
  type ProcessSummary,
  send,
} from './processes.ts'
export { replaceFile } from './replaceFile.ts'
export { type LogLimits, rotateLog } from './rotate.ts'
export { type StrayService, strayServices } from './supervisor/marks.ts'
export { isRunning, isWanted, ServiceRecords } from './supervisor/records.ts'
export type {
  Diagnosis,
  Service,
  ServiceCommand,
  ServiceEvent,
  ServicePhase,
  ServicePort,
  ServiceRecord,
} from './supervisor/service.ts'
export { Supervisor, type SupervisorOptions } from './supervisor/supervisor.ts'
export { DeadlineError, type UntilOptions, until, withDeadline } from './until.ts'
