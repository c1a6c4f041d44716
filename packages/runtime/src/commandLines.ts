import { readdir, readFile } from 'node:fs/promises'

/** The pids of the processes that have `text`, such as the path of a folder, in their command lines; of all users. */
export const processesNaming = async (text: string): Promise<number[]> => {
  const all = process.platform === 'linux' ? await linuxCommandLines() : await portableCommandLines()
  return all.flatMap(({ pid, line }) => (line.includes(text) && pid !== process.pid ? [pid] : []))
}

interface CommandLine {
  readonly pid: number
  readonly line: string
}

const linuxCommandLines = async (): Promise<CommandLine[]> => {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  return Promise.all(
    pids.map(async pid => ({
      pid: Number(pid),
      line: (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' '),
    })),
  )
}

const portableCommandLines = async (): Promise<CommandLine[]> => {
  const { execa } = await import('execa')
  const { stdout } = await execa('ps', ['-axww', '-o', 'pid=,command='], { reject: false })
  return stdout.split('\n').map(row => {
    const [pid = '', ...words] = row.trim().split(' ')
    return { pid: Number(pid), line: words.join(' ') }
  })
}
