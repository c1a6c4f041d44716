import { uptime } from 'node:os'
import { messageOf } from '../errors.ts'
import { endOfLog } from '../log.ts'
import { identify, isAlive, send, waitForExit } from '../processes.ts'
import { pause, until } from '../until.ts'
import { adoptionOf, serviceNamed } from './adoption.ts'
import { serviceNotReady } from './failures.ts'
import { orphanedServices } from './marks.ts'
import { runInOrder, startOrder, stopOrder } from './order.ts'
import { changed } from './phases.ts'
import { refuseTakenPorts } from './ports.ts'
import { isOver, isRunning, newRecord, ServiceRecords } from './records.ts'
import { RecordWriter } from './recordWriter.ts'
import { afterCrash, defaultRestartPolicy } from './restarts.ts'
import { killMarked, type Run, requestStop, spawnService, stopGroup, untilReady, watchedRun } from './run.ts'
import type { Service, ServiceEvent, ServiceRecord } from './service.ts'

/** For a service that was ready before. A busy machine may be slow, but the service is no longer starting. */
const responseTimeoutMs = 30_000

export interface SupervisorOptions {
  /** The folder of the records. Only one supervisor of a folder may run; the caller holds a lock. */
  readonly directory: string
  readonly onEvent: (event: ServiceEvent) => void
  /** Pauses before restarts, see RestartPolicy. */
  readonly backoffMs?: readonly number[]
}

interface Managed {
  readonly service: Service
  record: ServiceRecord
  /** Aborted when the service is to stop; cancels its watch and a start in progress. */
  readonly stopped: AbortController
  /** Aborted, with the reason, when the service will not be restarted. */
  readonly failed: AbortController
  crashes: readonly number[]
  /** Whether its current process was ready once. Nobody may have seen the end of its start. */
  wasReady: boolean
  watch: Promise<void>
}

/**
 * Carries out what `order`, `restarts`, `phases` and `adoption` decide: starts services after those that they need,
 * restarts crashed ones, stops them in reverse order. Services outlive a supervisor that is killed; the next one of the
 * same folder adopts them.
 */
export class Supervisor {
  readonly #directory: string
  readonly #records: ServiceRecords
  readonly #writer: RecordWriter
  readonly #onEvent: (event: ServiceEvent) => void
  readonly #backoffMs: readonly number[]
  readonly #managed = new Map<string, Managed>()

  constructor({ directory, onEvent, backoffMs = defaultRestartPolicy.backoffMs }: SupervisorOptions) {
    this.#backoffMs = backoffMs
    this.#directory = directory
    this.#records = new ServiceRecords(directory)
    this.#onEvent = event => {
      try {
        onEvent(event)
      } catch {
        // The listener may be gone, or write to a full disk. That must neither stop a service nor prevent its stop.
      }
    }
    this.#writer = new RecordWriter(directory, this.#onEvent)
  }

  /** Names of the services that this supervisor manages now. */
  get names(): string[] {
    return [...this.#managed.keys()]
  }

  /** Kills everything at once, for a caller that cannot wait: work in progress of the services is lost. */
  kill(): void {
    for (const { stopped, record } of this.#managed.values()) {
      stopped.abort(new Error('killed'))
      if (record.pid !== null) send(-record.pid, 'SIGKILL')
    }
  }

  /**
   * Makes every one of `services` run and waits until all are ready. One that runs already is not started again, but
   * must be ready too. If one fails, or `signal` is aborted, what this call started is stopped before the error is
   * thrown.
   *
   * @throws OffstreamError PORT_TAKEN (before anything was started), SERVICE_EXITED, SERVICE_NOT_READY
   */
  async start(services: readonly Service[], signal?: AbortSignal): Promise<void> {
    const fresh = services.filter(({ name }) => !this.#isManaged(name))
    await refuseTakenPorts(fresh)
    const failed = new AbortController()
    const cancelled = signal === undefined ? failed.signal : AbortSignal.any([failed.signal, signal])
    const begun = new Set<string>()
    const startedHere: string[] = []
    // `status` shows those that wait for others too, and the next supervisor knows them if we are killed meanwhile.
    const startedAt = new Date().toISOString()
    for (const service of fresh) await this.#writer.keep({ ...newRecord(service), startedAt })
    const byName = new Map(services.map(service => [service.name, service]))
    const results = await runInOrder(startOrder(services), async name => {
      const service = byName.get(name)
      if (service === undefined) return
      cancelled.throwIfAborted()
      begun.add(name)
      try {
        if (await this.#ensureReady(service, cancelled)) startedHere.push(name)
      } catch (error) {
        failed.abort(error)
        throw error
      }
    })
    const reason = cancelled.aborted ? cancelled.reason : undefined
    if (results.every(({ status }) => status === 'fulfilled')) return
    for (const { name } of fresh) if (!begun.has(name)) await this.#writer.forget(name)
    await this.stop(startedHere)
    throw reason
  }

  /** Stops the named services, or all, dependents first. One that does not run is fine. */
  async stop(names: readonly string[] = this.names): Promise<void> {
    const managed = names.flatMap(name => this.#managed.get(name) ?? [])
    const results = await runInOrder(stopOrder(managed.map(({ service }) => service)), async name => {
      const one = managed.find(({ service }) => service.name === name)
      if (one !== undefined) await this.#stopOne(one)
    })
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  /**
   * Manages what an earlier supervisor of this folder left; see `adoptionOf`. `services` says how to run each.
   * @returns the names of running services whose stop was in progress: they are not watched and wait for `stop`
   */
  async adopt(services: readonly Service[]): Promise<readonly string[]> {
    const bootedAt = Date.now() - uptime() * 1_000
    const halfStopped: string[] = []
    for (const record of await this.#records.all()) {
      const service = services.find(({ name }) => name === record.name)
      const running = await isRunning(record)
      const adoption = adoptionOf({ record, running, known: service !== undefined, bootedAt })
      if (service !== undefined && adoption === 'watch') await this.#watchRunning(service, record)
      else if (service !== undefined && adoption === 'remember') this.#manage(service, record)
      else if (service !== undefined && adoption === 'finish stop') {
        this.#manage(service, record)
        halfStopped.push(service.name)
      } else {
        await this.#cleanUp(record)
        if (service !== undefined && adoption === 'restart') await this.#restart(service, record)
      }
    }
    return halfStopped
  }

  /**
   * Stops what an earlier supervisor of this folder left, with or without a record. `services` says how to stop each;
   * one that is not among them gets SIGTERM, then SIGKILL.
   *
   * @returns whether anything was left
   */
  async stopLeftovers(services: readonly Service[]): Promise<boolean> {
    const records = await this.#records.all()
    for (const record of records) {
      if (await isRunning(record)) this.#manage(serviceNamed(record.name, services), record)
      else await this.#cleanUp(record)
    }
    await this.stop()
    return (await this.stopOrphans(services)) || records.length > 0
  }

  /** Does the same only for services without a record. */
  async stopOrphans(services: readonly Service[]): Promise<boolean> {
    const orphans = await orphanedServices(this.#directory)
    for (const { name, pid, leads } of orphans) {
      const service = serviceNamed(name, services)
      const identity = leads ? await identify(pid) : null
      if (identity === null) await killMarked(this.#directory, name)
      else this.#manage(service, { ...newRecord(service), ...identity, phase: 'running' })
    }
    await this.stop(orphans.map(({ name }) => name))
    return orphans.length > 0
  }

  /** From now on no record is written: their folder was deleted, or another supervisor has it. */
  loseRecords(): void {
    this.#writer.close()
  }

  #isManaged(name: string): boolean {
    const managed = this.#managed.get(name)
    return managed !== undefined && !isOver(managed.record.phase)
  }

  /** Adds a service to those that are managed; it is not watched yet. */
  #manage(service: Service, record: ServiceRecord): Managed {
    const managed: Managed = {
      ...{ service, record, crashes: [], wasReady: record.phase === 'running', watch: Promise.resolve() },
      ...{ stopped: new AbortController(), failed: new AbortController() },
    }
    this.#managed.set(service.name, managed)
    return managed
  }

  /** @returns whether this call started it */
  async #ensureReady(service: Service, signal: AbortSignal): Promise<boolean> {
    const running = this.#managed.get(service.name)
    if (running !== undefined && this.#isManaged(service.name)) {
      await this.#confirmReady(running, signal)
      return false
    }
    const managed = this.#manage(service, newRecord(service))
    try {
      const run = await this.#launch(managed, AbortSignal.any([signal, managed.stopped.signal]))
      if (run !== null) this.#watch(managed, this.#superviseFrom(managed, run))
      return true
    } catch (error) {
      this.#managed.delete(service.name)
      // If another service failed or the user interrupted the start, this one did not fail.
      if (signal.aborted) await this.#writer.forget(service.name)
      else await this.#note(managed, { phase: 'failed', pid: null, startId: null, detail: messageOf(error) })
      throw error
    }
  }

  /** Waits until a managed service is ready: briefly if it was ready before, otherwise as long as a start may take. */
  async #confirmReady(managed: Managed, signal: AbortSignal): Promise<void> {
    const { service, stopped, failed, wasReady } = managed
    const startedMs = Date.now()
    const timeoutMs = wasReady ? Math.min(responseTimeoutMs, service.startTimeoutMs) : service.startTimeoutMs
    this.#onEvent({ kind: 'probing', service: service.name })
    const pid = await until(
      async probe => {
        const { phase, pid, detail } = managed.record
        if (phase === 'completed') return null
        if (phase !== 'running' || pid === null) throw new Error(detail ?? `it is ${phase}`)
        await service.ready(probe)
        return pid
      },
      {
        what: `${service.name} to respond`,
        timeoutMs,
        signal: AbortSignal.any([signal, stopped.signal, failed.signal]),
      },
    ).catch(async error => {
      signal.throwIfAborted()
      stopped.signal.throwIfAborted()
      throw await serviceNotReady(service, error, 0)
    })
    if (pid === null) return
    managed.wasReady = true
    this.#reportReady(service, pid, startedMs, true)
  }

  /**
   * Starts the process and waits for readiness, early exit or the timeout, whichever comes first. Unless it is ready,
   * nothing of it remains.
   *
   * @returns null if it has completed already
   */
  async #launch(managed: Managed, signal: AbortSignal): Promise<Run | null> {
    const { service } = managed
    const startedMs = Date.now()
    managed.wasReady = false
    this.#onEvent({ kind: 'starting', service: service.name })
    await refuseTakenPorts([service])
    await service.prepare?.(signal)
    signal.throwIfAborted()
    const since = await endOfLog(service.logFile)
    // Noted before there is a process: if we are killed in between, the next supervisor knows to look for it.
    const startedAt = new Date().toISOString()
    await this.#note(managed, { phase: 'starting', pid: null, startId: null, startedAt, detail: null })
    const run = await spawnService(this.#directory, service, since)
    await this.#note(managed, { ...run.identity })
    if ((await untilReady(this.#directory, service, run, since, signal)) === 'completed') {
      await this.#complete(managed)
      return null
    }
    managed.wasReady = true
    await this.#note(managed, { phase: 'running' })
    this.#reportReady(service, run.identity.pid, startedMs, false)
    return run
  }

  #reportReady(service: Service, pid: number, startedMs: number, alreadyRunning: boolean): void {
    const tookMs = Date.now() - startedMs
    const { name, port } = service
    this.#onEvent({ kind: 'ready', service: name, pid, port, tookMs, alreadyRunning })
  }

  /** A watch never rejects: if it cannot continue, its service has failed. */
  #watch(managed: Managed, watch: Promise<void>): void {
    managed.watch = watch.catch(error => this.#fail(managed, `could not be monitored: ${messageOf(error)}`))
  }

  async #watchRunning(service: Service, record: ServiceRecord): Promise<void> {
    const { pid, startId } = record
    if (pid === null || startId === null) return
    const managed = this.#manage(service, record)
    // A record of a failed or restarting service can have a running process if its last change could not be written.
    managed.record = { ...record, phase: 'running', detail: null }
    await this.#note(managed, {})
    const run = watchedRun({ pid, startId }, managed.stopped.signal)
    this.#watch(managed, this.#superviseFrom(managed, run))
  }

  async #restart(service: Service, record: ServiceRecord): Promise<void> {
    const managed = this.#manage(service, { ...record, pid: null, startId: null, phase: 'restarting' })
    await this.#note(managed, { detail: 'it exited while no daemon was running' })
    this.#watch(managed, this.#superviseFrom(managed, null, 'exited while no daemon was running'))
  }

  /** Restarts the service each time it crashes, until it is to stop, or has completed or failed. */
  async #superviseFrom(managed: Managed, first: Run | null, firstHow = ''): Promise<void> {
    const { stopped } = managed
    let how = firstHow
    for (let run = first; ; ) {
      if (run !== null) {
        how = await run.exited
        if (stopped.signal.aborted) return
        // The leader exited just now, so no other group has its number yet: its children are killed.
        if (managed.record.pid !== null) send(-managed.record.pid, 'SIGKILL')
      }
      run = await this.#runAgain(managed, how)
      if (run === null) return
    }
  }

  /** @returns the next run; null if the service is to stop, or has completed or failed */
  async #runAgain(managed: Managed, how: string): Promise<Run | null> {
    const { service, stopped } = managed
    for (let cause = how; ; ) {
      if (await service.isComplete?.()) {
        await this.#complete(managed)
        return null
      }
      const permanent = await service.permanentFailure?.()
      if (permanent != null) {
        await this.#fail(managed, permanent.cause, `${permanent.cause}; ${permanent.hint}`)
        return null
      }
      const decision = afterCrash(managed.crashes, Date.now(), {
        ...defaultRestartPolicy,
        backoffMs: this.#backoffMs,
      })
      managed.crashes = decision.crashes
      if (decision.kind === 'give up') {
        await this.#fail(managed, cause, `${cause}; ${decision.reason}`)
        return null
      }
      const restarts = managed.record.restarts + 1
      await this.#note(managed, { phase: 'restarting', pid: null, startId: null, restarts, detail: cause })
      this.#onEvent({ kind: 'crashed', service: service.name, how: cause, restartInMs: decision.inMs })
      await pause(decision.inMs, stopped.signal)
      if (stopped.signal.aborted) return null
      try {
        await this.#needsReady(service, stopped.signal)
        return await this.#launch(managed, stopped.signal)
      } catch (error) {
        if (stopped.signal.aborted) return null
        cause = messageOf(error)
      }
    }
  }

  /** Waits until everything that `service` needs is ready again; a start before that would only fail. */
  async #needsReady(service: Service, signal: AbortSignal): Promise<void> {
    for (const need of service.needs) {
      const managed = this.#managed.get(need)
      if (managed === undefined || service.needsOnlyAtStart?.includes(need)) continue
      const { name, ready, startTimeoutMs } = managed.service
      await until(ready, { what: `${name}, which ${service.name} needs`, timeoutMs: startTimeoutMs, signal })
    }
  }

  async #complete(managed: Managed): Promise<void> {
    await this.#note(managed, { phase: 'completed', pid: null, startId: null, detail: null })
    this.#onEvent({ kind: 'completed', service: managed.service.name })
  }

  async #fail(managed: Managed, how: string, detail = how): Promise<void> {
    await this.#note(managed, { phase: 'failed', pid: null, startId: null, detail })
    this.#onEvent({ kind: 'failed', service: managed.service.name, how })
    managed.failed.abort(new Error(detail))
  }

  async #stopOne(managed: Managed): Promise<void> {
    const { service, stopped } = managed
    const startedMs = Date.now()
    this.#onEvent({ kind: 'stopping', service: service.name })
    stopped.abort(new Error(`${service.name} was stopped`))
    const { pid, startId } = managed.record
    let killed = false
    if (pid !== null && startId !== null) {
      await this.#note(managed, { phase: 'stopping' })
      const identity = { pid, startId }
      if ((await isAlive(identity)) && (await requestStop(service)))
        await waitForExit(identity, { timeoutMs: service.stopTimeoutMs })
      killed = await stopGroup(this.#directory, service.name, identity, service.stopTimeoutMs)
    }
    await managed.watch
    this.#managed.delete(service.name)
    await this.#writer.forget(service.name)
    this.#onEvent({ kind: 'stopped', service: service.name, tookMs: Date.now() - startedMs, killed })
  }

  async #cleanUp(record: ServiceRecord): Promise<void> {
    await killMarked(this.#directory, record.name)
    await this.#writer.forget(record.name)
  }

  async #note(managed: Managed, change: Partial<ServiceRecord>): Promise<void> {
    managed.record = changed(managed.record, change)
    await this.#writer.keep(managed.record)
  }
}
