import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { devNull, uptime } from 'node:os'
import { dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { messageOf, type OffstreamError, RuntimeError } from '../errors.ts'
import { endOfLog, lastLines } from '../log.ts'
import { identify, isAlive, listenerOn, type ProcessIdentity, send } from '../processes.ts'
import { until } from '../until.ts'
import { markOf, orphanedServices, processesOf } from './marks.ts'
import { isRunning, isWanted, ServiceRecords } from './records.ts'
import type { Service, ServiceEvent, ServiceRecord } from './service.ts'

/** How long after each fall the next start comes; the last one goes on. */
const defaultBackoffMs = [500, 1_000, 2_000, 4_000, 8_000]
/** A service that falls more often than this within the window is given up: it would only go on falling. */
const maxCrashes = 5
const crashWindowMs = 10 * 60_000
const killTimeoutMs = 10_000
/** For one that was ready before: a machine that has much to do may take its time, but it is not about to start. */
const responseTimeoutMs = 30_000
/** For one of which it is not known how long it takes. */
const orphanStopTimeoutMs = 15_000
const lastLogLineCount = 20
/** A stack trace puts its reason far above its end. */
const diagnosedLines = 400

export interface SupervisorOptions {
  /** Where records are kept; two supervisors of one folder are one too many (the caller holds a lock). */
  readonly directory: string
  readonly onEvent: (event: ServiceEvent) => void
  /** Pause before the first restart after a fall, the second, …; doubles from half a second unless told. */
  readonly backoffMs?: readonly number[]
}

/** One life of a service: `exited` resolves to how it ended, as it reads after its name: `ended by SIGKILL`. */
interface Run {
  readonly exited: Promise<string>
}

interface Kept {
  readonly service: Service
  record: ServiceRecord
  /** Aborted when the service is no longer wanted; ends its watch and any start under way. */
  readonly unwanted: AbortController
  /** Aborted, with why, when it is not started again any more. */
  readonly givenUp: AbortController
  readonly falls: number[]
  /** Whether the process that runs has ever answered; one whose start nobody saw to its end may still be at it. */
  wasReady: boolean
  watch: Promise<void>
}

/** What services are started with. It takes a fifth of the time in which a command begins, and most start nothing. */
export const loadExeca = () => import('execa')

/**
 * Starts services in the order of their needs and side by side where it can, keeps them running, and ends them in
 * the reverse order. Services outlive a supervisor that is killed; the next one on the same folder adopts them.
 */
export class Supervisor {
  readonly #directory: string
  readonly #records: ServiceRecords
  readonly #onEvent: (event: ServiceEvent) => void
  readonly #backoffMs: readonly number[]
  readonly #kept = new Map<string, Kept>()
  /** Names of services of which it was told that their record can't be written. */
  readonly #unrecorded = new Set<string>()
  #recordsLost = false

  constructor({ directory, onEvent, backoffMs = defaultBackoffMs }: SupervisorOptions) {
    this.#backoffMs = backoffMs
    this.#directory = directory
    this.#records = new ServiceRecords(directory)
    this.#onEvent = event => {
      try {
        onEvent(event)
      } catch {
        // Whoever listens may be gone, or writes to a full disk: that must neither end a service nor keep one from ending.
      }
    }
  }

  /** Names of the services that are wanted here now. */
  get names(): string[] {
    return [...this.#kept.keys()]
  }

  /** Ends everything at once and without asking, for whoever can't wait: what the services had in hand is lost. */
  kill(): void {
    for (const { unwanted, record } of this.#kept.values()) {
      unwanted.abort(new Error('ended by force'))
      if (record.pid !== null) send(-record.pid, 'SIGKILL')
    }
  }

  /**
   * Makes every one of `services` run and waits until all are ready. One that runs already, kept by this supervisor
   * or left by an earlier one, is not started again but must answer too.
   * Where one fails, or `signal` is aborted, what this call started is ended before the error is thrown.
   *
   * @throws OffstreamError PORT_TAKEN (before anything was started), SERVICE_EXITED, SERVICE_NOT_READY
   */
  async start(services: readonly Service[], signal?: AbortSignal): Promise<void> {
    await refuseTakenPorts(services.filter(({ name }) => !this.#isManaged(name)))
    const failed = new AbortController()
    const ending = signal === undefined ? failed.signal : AbortSignal.any([failed.signal, signal])
    const begun = new Set<string>()
    const startedHere: string[] = []
    const fresh = services.filter(({ name }) => !this.#isManaged(name))
    // Those that wait for others are to be seen too, and are not forgotten where we are killed meanwhile.
    const startedAt = new Date().toISOString()
    for (const service of fresh)
      await this.#recorded(service.name, () => this.#records.keep({ ...blankRecord(service), startedAt }))
    const underWay = new Map<string, Promise<void>>()
    const startOne = (service: Service): Promise<void> => {
      const known = underWay.get(service.name)
      if (known !== undefined) return known
      const needed = services.filter(other => service.needs.includes(other.name))
      const start = Promise.all(needed.map(startOne)).then(async () => {
        ending.throwIfAborted()
        begun.add(service.name)
        if (await this.#bringUp(service, ending)) startedHere.push(service.name)
      })
      underWay.set(service.name, start)
      return start
    }
    const settled = await Promise.allSettled(
      services.map(service =>
        startOne(service).catch(error => {
          failed.abort(error)
          throw error
        }),
      ),
    )
    const reason = ending.aborted ? ending.reason : undefined
    if (settled.every(result => result.status === 'fulfilled')) return
    for (const { name } of fresh) if (!begun.has(name)) await this.#forget(name)
    await this.stop(startedHere)
    throw reason
  }

  /** Ends the named services, or all, dependents first. One that does not run is fine. */
  async stop(names: readonly string[] = this.names): Promise<void> {
    const kept = names.flatMap(name => this.#kept.get(name) ?? [])
    const stopping = new Map<string, Promise<void>>()
    const stopOne = (one: Kept): Promise<void> => {
      const known = stopping.get(one.service.name)
      if (known !== undefined) return known
      const dependents = kept.filter(other => other.service.needs.includes(one.service.name))
      const stop = Promise.all(dependents.map(stopOne)).then(() => this.#bringDown(one))
      stopping.set(one.service.name, stop)
      return stop
    }
    await Promise.all(kept.map(stopOne))
  }

  /**
   * Takes into care what an earlier supervisor of this folder left running. What fell while nobody watched is started
   * again; what was not wanted any more, or was running before the machine was last started, is cleared away.
   * `services` says how to keep each.
   *
   * @returns the names of those that live and whose end had begun: nobody watches them, and they wait for `stop`
   */
  async adopt(services: readonly Service[]): Promise<readonly string[]> {
    const bootedAt = Date.now() - uptime() * 1_000
    const halfEnded: string[] = []
    for (const record of await this.#records.all()) {
      const service = services.find(({ name }) => name === record.name)
      if (service !== undefined && (await isRunning(record))) {
        if (record.phase === 'stopping') {
          this.#keep(service, record)
          halfEnded.push(service.name)
        } else await this.#keepRunning(service, record)
      } else {
        await this.#clearRemains(record)
        const sinceBoot = record.startedAt !== null && Date.parse(record.startedAt) > bootedAt
        if (service !== undefined && isWanted(record) && sinceBoot) await this.#revive(service, record)
      }
    }
    return halfEnded
  }

  /**
   * Ends what an earlier supervisor of this folder left, whether or not anything is written down of it.
   * `services` says how to end each; one that is not among them gets TERM, then KILL.
   *
   * @returns whether anything was left
   */
  async stopLeftovers(services: readonly Service[]): Promise<boolean> {
    const records = await this.#records.all()
    for (const record of records) {
      if (await isRunning(record)) this.#keep(serviceNamed(record.name, services), record)
      else await this.#clearRemains(record)
    }
    await this.stop()
    return (await this.stopOrphans(services)) || records.length > 0
  }

  /** The same for those alone of which nothing is written down. */
  async stopOrphans(services: readonly Service[]): Promise<boolean> {
    const strays = await orphanedServices(this.#directory)
    for (const { name, pid, leads } of strays) {
      const service = serviceNamed(name, services)
      const identity = leads ? await identify(pid) : null
      if (identity === null) await this.#killMarked(name)
      else this.#keep(service, { ...blankRecord(service), ...identity, phase: 'running' })
    }
    await this.stop(strays.map(({ name }) => name))
    return strays.length > 0
  }

  /** From now on nothing is written: the folder of the records is gone, or belongs to another supervisor. */
  loseRecords(): void {
    this.#recordsLost = true
  }

  #isManaged(name: string): boolean {
    const kept = this.#kept.get(name)
    return kept !== undefined && kept.record.phase !== 'failed'
  }

  /** Begins to keep a service, which nobody watches yet. */
  #keep(service: Service, record: ServiceRecord): Kept {
    const unwanted = new AbortController()
    const givenUp = new AbortController()
    const kept: Kept = {
      ...{ service, record, unwanted, givenUp, falls: [] },
      wasReady: record.phase === 'running',
      watch: Promise.resolve(),
    }
    this.#kept.set(service.name, kept)
    return kept
  }

  /** @returns whether this call started it. */
  async #bringUp(service: Service, signal: AbortSignal): Promise<boolean> {
    const kept = this.#kept.get(service.name)
    if (kept !== undefined && this.#isManaged(service.name)) {
      await this.#confirmReady(kept, signal)
      return false
    }
    const fresh = this.#keep(service, blankRecord(service))
    try {
      const run = await this.#launch(fresh, AbortSignal.any([signal, fresh.unwanted.signal]))
      this.#beginWatch(fresh, this.#watch(fresh, run))
      return true
    } catch (error) {
      this.#kept.delete(service.name)
      // Where another service failed or the person changed their mind, this one has nothing to be blamed for.
      if (signal.aborted) await this.#forget(service.name)
      else await this.#note(fresh, { phase: 'failed', pid: null, startId: null, detail: messageOf(error) })
      throw error
    }
  }

  /** Waits until one that is kept answers: soon where it has answered before, else as long as a start may take. */
  async #confirmReady(kept: Kept, signal: AbortSignal): Promise<void> {
    const { service, unwanted, givenUp } = kept
    const began = Date.now()
    const timeoutMs = kept.wasReady
      ? Math.min(responseTimeoutMs, service.startTimeoutMs)
      : service.startTimeoutMs
    this.#onEvent({ kind: 'asked', service: service.name })
    const pid = await until(
      async asked => {
        const { phase, pid, detail } = kept.record
        if (phase !== 'running' || pid === null) throw new Error(detail ?? `it is ${phase}`)
        await service.ready(asked)
        return pid
      },
      {
        what: `${service.name} to answer`,
        timeoutMs,
        signal: AbortSignal.any([signal, unwanted.signal, givenUp.signal]),
      },
    ).catch(async error => {
      signal.throwIfAborted()
      unwanted.signal.throwIfAborted()
      throw await notReady(service, error, 0)
    })
    kept.wasReady = true
    this.#onEvent({
      kind: 'ready',
      service: service.name,
      pid,
      port: service.port,
      tookMs: Date.now() - began,
      alreadyRunning: true,
    })
  }

  /**
   * Starts the process and waits for the answer, the early exit or the deadline, whichever is first; leaves nothing
   * behind where it was not the answer.
   */
  async #launch(kept: Kept, signal: AbortSignal): Promise<Run> {
    const { service } = kept
    const began = Date.now()
    kept.wasReady = false
    this.#onEvent({ kind: 'starting', service: service.name })
    await refuseTakenPorts([service])
    await service.prepare?.(signal)
    const firstWord = await endOfLog(service.logFile)
    const startedAt = new Date().toISOString()
    // Before there is a process too: where we are killed in between, the next supervisor knows to look for it.
    await this.#note(kept, { phase: 'starting', pid: null, startId: null, startedAt, detail: null })
    const { identity, exited } = await this.#spawn(service, firstWord)
    await this.#note(kept, { pid: identity.pid, startId: identity.startId })
    const earlyExit = new AbortController()
    exited.then(how => earlyExit.abort(new EarlyExit(how)))
    try {
      await until(service.ready, {
        what: `${service.name} to be ready`,
        timeoutMs: service.startTimeoutMs,
        signal: AbortSignal.any([signal, earlyExit.signal]),
      })
    } catch (error) {
      await this.#endGroup(service.name, identity, 0)
      signal.throwIfAborted()
      throw error instanceof EarlyExit
        ? await exitedEarly(service, error.how, firstWord)
        : await notReady(service, error, firstWord)
    }
    kept.wasReady = true
    await this.#note(kept, { phase: 'running' })
    this.#onEvent({
      kind: 'ready',
      service: service.name,
      pid: identity.pid,
      port: service.port,
      tookMs: Date.now() - began,
      alreadyRunning: false,
    })
    return { exited }
  }

  async #spawn(service: Service, firstWord: number): Promise<Run & { readonly identity: ProcessIdentity }> {
    const [{ file, args, env, cwd }, { execa }] = [service.command, await loadExeca()]
    await mkdir(dirname(service.logFile), { recursive: true })
    const log = createWriteStream(service.logFile, { flags: 'a' })
    await once(log, 'open')
    try {
      // A group of its own (`detached`): Ctrl-C in our terminal does not reach it, and TERM reaches its children.
      // Files, not pipes: it must be able to go on writing when we are gone.
      const child = execa(file, [...args], {
        env: { ...env, ...markOf(this.#directory, service.name) },
        extendEnv: false,
        cwd,
        detached: true,
        cleanup: false,
        reject: false,
        stdin: 'ignore',
        stdout: log,
        stderr: log,
        buffer: false,
      })
      const exited = child.then(({ exitCode, signal, originalMessage }) =>
        signal !== undefined
          ? `ended by ${signal}`
          : exitCode !== undefined
            ? `ended with status ${exitCode}`
            : `could not be run: ${originalMessage}`,
      )
      const identity = child.pid === undefined ? null : await identify(child.pid)
      if (identity === null) throw await exitedEarly(service, await exited, firstWord)
      return { identity, exited }
    } finally {
      log.destroy()
    }
  }

  async #keepRunning(service: Service, record: ServiceRecord): Promise<void> {
    if (record.pid === null || record.startId === null) return
    const kept = this.#keep(service, record)
    await this.#note(kept, { phase: 'running', detail: null })
    const exited = goneByPolling({ pid: record.pid, startId: record.startId }, kept.unwanted.signal)
    this.#beginWatch(kept, this.#watch(kept, { exited }))
  }

  async #revive(service: Service, record: ServiceRecord): Promise<void> {
    const kept = this.#keep(service, { ...record, pid: null, startId: null })
    await this.#note(kept, { phase: 'restarting', detail: 'it fell while nobody watched' })
    const again = this.#startAgain(kept, 'ended while nobody watched')
    this.#beginWatch(
      kept,
      again.then(run => (run === null ? undefined : this.#watch(kept, run))),
    )
  }

  /** A watch never fails: where one can't go on, its service is given up. */
  #beginWatch(kept: Kept, watch: Promise<void>): void {
    kept.watch = watch.catch(error => this.#giveUp(kept, `could not be watched: ${messageOf(error)}`))
  }

  async #giveUp(kept: Kept, how: string, detail = how): Promise<void> {
    await this.#note(kept, { phase: 'failed', pid: null, startId: null, detail })
    this.#onEvent({ kind: 'gaveUp', service: kept.service.name, how })
    kept.givenUp.abort(new Error(detail))
  }

  async #clearRemains(record: ServiceRecord): Promise<void> {
    await this.#killMarked(record.name)
    await this.#forget(record.name)
  }

  /** @returns how many processes there were */
  async #killMarked(name: string): Promise<number> {
    const found = await processesOf(this.#directory, name)
    for (const { pid } of found) send(pid, 'SIGKILL')
    return found.length
  }

  /** Starts the service again each time it falls, until it is unwanted or given up. */
  async #watch(kept: Kept, first: Run): Promise<void> {
    for (let run: Run | null = first; run !== null; ) {
      const how: string = await run.exited
      if (kept.unwanted.signal.aborted) return
      // The leader is gone this very moment, so its number is still its group's: children go with it.
      if (kept.record.pid !== null) send(-kept.record.pid, 'SIGKILL')
      this.#fellWith(kept.service.name)
      run = await this.#startAgain(kept, how)
    }
  }

  /** Ends those that can't outlive the service `name`, which fell; their own watch starts them again. */
  #fellWith(name: string): void {
    for (const { service, record } of this.#kept.values()) {
      if (service.restartsWith?.includes(name) && record.pid !== null) send(-record.pid, 'SIGKILL')
    }
  }

  /** Waits until what `service` needs is there again; a start before that would only fail. */
  async #needsReady(service: Service, signal: AbortSignal): Promise<void> {
    for (const need of service.needs) {
      const kept = this.#kept.get(need)
      if (kept === undefined || service.awaits?.includes(need)) continue
      const { name, ready, startTimeoutMs } = kept.service
      await until(ready, { what: `${name}, which ${service.name} needs`, timeoutMs: startTimeoutMs, signal })
    }
  }

  /** @returns the next run, or null where there will be none. */
  async #startAgain(kept: Kept, how: string): Promise<Run | null> {
    const { service, unwanted, falls } = kept
    for (let cause = how; ; ) {
      const now = Date.now()
      falls.push(now)
      while ((falls[0] ?? now) < now - crashWindowMs) falls.shift()
      if (falls.length > maxCrashes) {
        const detail = `${cause}; fell ${falls.length} times within 10 minutes and was given up`
        await this.#giveUp(kept, cause, detail)
        return null
      }
      const restartInMs = this.#backoffMs[Math.min(falls.length, this.#backoffMs.length) - 1] ?? 0
      const restarts = kept.record.restarts + 1
      await this.#note(kept, {
        phase: 'restarting',
        pid: null,
        startId: null,
        restarts,
        detail: cause,
      })
      this.#onEvent({ kind: 'fell', service: service.name, how: cause, restartInMs })
      await pause(restartInMs, undefined, { signal: unwanted.signal }).catch(() => undefined)
      if (unwanted.signal.aborted) return null
      try {
        await this.#needsReady(service, unwanted.signal)
        return await this.#launch(kept, unwanted.signal)
      } catch (error) {
        if (unwanted.signal.aborted) return null
        cause = messageOf(error)
      }
    }
  }

  async #bringDown(kept: Kept): Promise<void> {
    const { service, unwanted } = kept
    const began = Date.now()
    this.#onEvent({ kind: 'stopping', service: service.name })
    unwanted.abort(new Error(`${service.name} is no longer wanted`))
    const { pid, startId } = kept.record
    let killed = false
    if (pid !== null && startId !== null) {
      await this.#note(kept, { phase: 'stopping' })
      const identity = { pid, startId }
      if ((await isAlive(identity)) && (await isAsked(service)))
        await goneWithin(identity, service.stopTimeoutMs)
      killed = await this.#endGroup(service.name, identity, service.stopTimeoutMs)
    }
    await kept.watch
    this.#kept.delete(service.name)
    await this.#forget(service.name)
    this.#onEvent({ kind: 'stopped', service: service.name, tookMs: Date.now() - began, killed })
  }

  /**
   * Ends a process and all of its group: TERM, then after `timeoutMs` KILL (at once where that is 0).
   * Members that outlive the leader are found by their mark, since the number of the group may by then belong to
   * somebody else. @returns whether KILL was needed for the leader.
   */
  async #endGroup(name: string, identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
    let killed = false
    if (await isAlive(identity)) {
      if (timeoutMs > 0) send(-identity.pid, 'SIGTERM')
      if (timeoutMs === 0 || !(await goneWithin(identity, timeoutMs))) {
        killed = true
        send(-identity.pid, 'SIGKILL')
        await goneWithin(identity, killTimeoutMs)
      }
    }
    const giveUpAt = Date.now() + killTimeoutMs
    for (;;) {
      if ((await this.#killMarked(name)) === 0 || Date.now() > giveUpAt) return killed
      await pause(25)
    }
  }

  async #note(kept: Kept, change: Partial<ServiceRecord>): Promise<void> {
    kept.record = { ...kept.record, ...change }
    await this.#recorded(kept.record.name, () => this.#records.keep(kept.record))
  }

  async #forget(name: string): Promise<void> {
    await this.#recorded(name, () => this.#records.forget(name))
  }

  /** A record that can't be written (a full disk) is news, and no reason to lose a service or to let one live. */
  async #recorded(service: string, write: () => Promise<void>): Promise<void> {
    if (this.#recordsLost) return
    try {
      await write()
      this.#unrecorded.delete(service)
    } catch (error) {
      if (this.#unrecorded.has(service)) return
      this.#unrecorded.add(service)
      this.#onEvent({ kind: 'unrecorded', service, reason: messageOf(error) })
    }
  }
}

class EarlyExit extends Error {
  readonly how: string

  constructor(how: string) {
    super(how)
    this.how = how
  }
}

const blankRecord = ({ name, port, logFile }: Service): ServiceRecord => ({
  name,
  phase: 'starting',
  pid: null,
  startId: null,
  port,
  logFile,
  startedAt: null,
  restarts: 0,
  detail: null,
})

/** How to end a service of which nothing but its name may be known. */
const serviceNamed = (name: string, services: readonly Service[]): Service =>
  services.find(service => service.name === name) ?? {
    ...{
      name,
      needs: [],
      port: null,
      logFile: devNull,
      startTimeoutMs: 0,
      stopTimeoutMs: orphanStopTimeoutMs,
    },
    command: { file: '', args: [], env: {}, cwd: '' },
    ready: () => Promise.reject(new Error('nobody knows how to ask it')),
  }

/** Whether it has a gentle way to end and could be asked by it; where not, TERM is next. */
const isAsked = async ({ requestStop }: Service): Promise<boolean> => {
  if (requestStop === undefined) return false
  try {
    await requestStop()
    return true
  } catch {
    return false
  }
}

const goneByPolling = async (identity: ProcessIdentity, signal: AbortSignal): Promise<string> => {
  while (!signal.aborted && (await isAlive(identity))) {
    await pause(250, undefined, { signal }).catch(() => undefined)
  }
  return 'ended, and nobody who could see its exit status was there'
}

const goneWithin = async (identity: ProcessIdentity, timeoutMs: number): Promise<boolean> => {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await pause(25)) {
    if (!(await isAlive(identity))) return true
  }
  return !(await isAlive(identity))
}

/** @throws OffstreamError PORT_TAKEN, naming every port that is taken, and by whom */
const refuseTakenPorts = async (services: readonly Service[]): Promise<void> => {
  const wanted = services.flatMap(({ name, port, listensOn }) =>
    (listensOn ?? (port === null ? [] : [{ port, choose: `of ${name}` }])).map(one => ({
      ...one,
      name,
    })),
  )
  const looks = await Promise.all(wanted.map(async one => ({ ...one, holder: await listenerOn(one.port) })))
  const taken = looks.flatMap(({ holder, ...one }) => (holder === null ? [] : [{ ...one, holder }]))
  if (taken.length === 0) return
  const sentences = taken.map(
    ({ port, name, holder }) =>
      `port ${port}, which ${name} needs, is taken by ${holder.pid === 0 ? holder.name : `\`${holder.name}\` (pid ${holder.pid})`}`,
  )
  const all = sentences.join('; ')
  throw new RuntimeError('PORT_TAKEN', `${all.charAt(0).toUpperCase()}${all.slice(1)}`, {
    hint: `end ${taken.length === 1 ? 'that program' : 'these programs'}, or choose another port: ${taken.map(({ choose }) => choose).join(', ')}`,
  })
}

/** @param since place in the log where this start began: what an earlier one said is not its last words */
const exitedEarly = async (service: Service, how: string, since: number): Promise<OffstreamError> => {
  const { told, ...rest } = await lastLogLinesOf(service, since, `${service.name} ${how} before it was ready`)
  return new RuntimeError('SERVICE_EXITED', told, { ...rest })
}

const notReady = async (service: Service, error: unknown, since: number): Promise<OffstreamError> => {
  const what = `${service.name} did not get ready: ${messageOf(error)}`
  const { told, ...rest } = await lastLogLinesOf(service, since, what)
  return new RuntimeError('SERVICE_NOT_READY', told, { ...rest, cause: error })
}

/** What the log adds to `what` happened: the last lines, and where the reason is known, that and what mends it. */
const lastLogLinesOf = async (
  { logFile, diagnose }: Service,
  since: number,
  what: string,
): Promise<{ readonly told: string; readonly hint: string; readonly lastLogLines: readonly string[] }> => {
  const lines = await lastLines(logFile, diagnosedLines, since)
  // How it ended belongs to what is known of it: who was killed for lack of memory could not write a word.
  const known = diagnose?.([...lines, what]) ?? null
  return {
    told: known === null ? what : `${what}: ${known.cause}`,
    hint: known === null ? `read \`${logFile}\`` : `${known.hint}; the whole log is \`${logFile}\``,
    lastLogLines: lines.slice(-lastLogLineCount),
  }
}
