import { createInterface, type Interface } from 'node:readline'
import { entriesOf, maxEntries } from './history.ts'
import { splitStatements } from './statements.ts'
import type { Completion } from './words.ts'

export interface ShellOptions {
  readonly input: NodeJS.ReadableStream
  readonly output: NodeJS.WritableStream
  /** Entries of earlier shells, the newest first. */
  readonly history: readonly string[]
  readonly addToHistory: (entry: string) => Promise<void>
  /** Runs a statement and prints its result or its error. */
  readonly run: (statement: string, signal: AbortSignal) => Promise<void>
  /** @param before the text of the statement up to the cursor */
  readonly complete: (before: string) => Promise<Completion>
  readonly help: () => void
  /** Leaves the shell; a running statement is canceled. */
  readonly signal: AbortSignal
}

const firstPrompt = 'sql> '
const nextPrompt = '  -> '

/** Reads statements from a terminal and runs one after the other, until Ctrl-D, `exit` or `quit`. */
export const runShell = (options: ShellOptions): Promise<void> => new Shell(options).closed

class Shell {
  readonly closed: Promise<void>
  readonly #options: ShellOptions
  readonly #lines: Interface
  /** Statements that wait for the running one. */
  readonly #waiting: string[] = []
  /** The lines of a statement that is not complete. */
  #begun: readonly string[] = []
  #running: AbortController | null = null
  /** Readline's own list, the newest entry first. */
  #history: string[] | null = null
  #work: Promise<void> = Promise.resolve()
  #saved: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(options: ShellOptions) {
    this.#options = options
    const { input, output, history, complete, signal } = options
    this.#lines = createInterface({
      ...{ input, output, terminal: true, prompt: firstPrompt },
      ...{ history: [...history], historySize: maxEntries, removeHistoryDuplicates: true, tabSize: 2 },
      completer: (line: string, done: (error: Error | null, completion: Completion) => void) => {
        const nothing: Completion = [[], line]
        void complete([...this.#begun, line].join('\n')).then(
          completion => done(null, completion),
          () => done(null, nothing),
        )
      },
    })
    this.#lines.on('history', list => {
      this.#history = list
    })
    this.#lines.on('line', line => this.#read(line))
    this.#lines.on('SIGINT', () => this.#interrupt())
    signal.addEventListener('abort', () => this.#lines.close(), { once: true })
    this.closed = new Promise((resolve, reject) => {
      this.#lines.once('close', () => {
        // After Ctrl-D the cursor is behind the prompt.
        if (!this.#isClosed) options.output.write('\n')
        this.#isClosed = true
        void Promise.all([this.#work, this.#saved]).then(() => resolve(), reject)
      })
    })
    this.#prompt()
  }

  #read(line: string): void {
    if (this.#begun.length === 0 && this.#isCommand(line)) return
    const lines = [...this.#begun, line]
    const { statements, rest } = splitStatements(lines.join('\n'))
    this.#begun = rest === '' ? [] : rest.split('\n')
    if (statements.length > 0) this.#remember(lines)
    this.#waiting.push(...statements)
    if (this.#running !== null) return
    this.#work = this.#runWaiting()
    // Only output that cannot be written makes it fail; `closed` has the error.
    this.#work.catch(() => this.#lines.close())
  }

  /** @returns whether the line was a command of the shell itself */
  #isCommand(line: string): boolean {
    const word = line.trim().replace(/;$/, '').toLowerCase()
    if (word === 'exit' || word === 'quit') {
      this.#isClosed = true
      this.#lines.close()
    } else if (word === 'help') {
      this.#options.help()
      this.#prompt()
    } else return false
    return true
  }

  async #runWaiting(): Promise<void> {
    const { run, signal } = this.#options
    for (let statement = this.#waiting.shift(); statement !== undefined; statement = this.#waiting.shift()) {
      this.#running = new AbortController()
      await run(statement, AbortSignal.any([signal, this.#running.signal]))
    }
    this.#running = null
    this.#prompt()
  }

  /** Ctrl-C: cancels the running statement and those that wait, otherwise discards what was typed. */
  #interrupt(): void {
    this.#waiting.length = 0
    if (this.#running !== null) {
      this.#running.abort(new Error('canceled'))
      return
    }
    this.#begun = []
    // To the beginning of the line, then to its end.
    for (const name of ['u', 'k']) this.#lines.write(null, { ctrl: true, name })
    this.#options.output.write('^C\n')
    this.#prompt()
  }

  /** Makes one entry of the lines of a statement. */
  #remember(lines: readonly string[]): void {
    const entries = entriesOf(lines)
    const known = this.#history ?? []
    for (const line of [...lines].reverse()) if (known[0] === line) known.shift()
    for (const entry of entries) {
      known.unshift(entry)
      this.#saved = this.#saved.then(() => this.#options.addToHistory(entry))
    }
  }

  #prompt(): void {
    if (this.#running !== null || this.#isClosed) return
    this.#lines.setPrompt(this.#begun.length === 0 ? firstPrompt : nextPrompt)
    this.#lines.prompt()
  }
}
