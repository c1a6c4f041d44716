export { ensureJars, type Ivy, type JarSet, retrieve } from './artifacts/jars.ts'
export { acquireLock, type Lock, LockedError, type LockOptions, lockHolder } from './artifacts/lock.ts'
export { ensurePythonEnvironment, type PythonEnvironment, pythonOf } from './artifacts/python.ts'
export {
  type DamagedState,
  onDamagedState,
  readState,
  replaceFile,
  type StateOptions,
  updateState,
  writeState,
} from './artifacts/stateFile.ts'
export {
  type Artifact,
  artifactLock,
  describeFiles,
  differencesFromLock,
  ensureArtifact,
  type FetchOptions,
  type FetchProgress,
  isComplete,
  type LockDifference,
  type LockedFile,
  removeArtifact,
  sha256Of,
  verifyFiles,
} from './artifacts/store.ts'
export { callDaemon, type DaemonCall, daemonResponds, ensureDaemon, lockDaemon } from './daemon/client.ts'
export { launchDaemon, notifyLauncher } from './daemon/launch.ts'
export { type DaemonOptions, recordsDirectory, runDaemon } from './daemon/server.ts'
export * from './errors.ts'
export { type SizeKind, sizeOf } from './folderSize.ts'
export { endOfLog, type LogLine, LogReader, lastLines, linesBefore } from './log.ts'
export { listenerOn, portHolder } from './ports.ts'
export {
  groupOf,
  identify,
  isAlive,
  type ProcessIdentity,
  type ProcessSummary,
  processesNaming,
  send,
} from './processes.ts'
export { type LogLimits, rotateLog } from './rotate.ts'
export { type OrphanedService, orphanedServices } from './supervisor/marks.ts'
export { isOver, isRunning, isWanted, ServiceRecords } from './supervisor/records.ts'
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
export { abortable, DeadlineError, firstOf, pause, type UntilOptions, until, withDeadline } from './until.ts'
export { type GroupUsage, usageOf } from './usage.ts'
