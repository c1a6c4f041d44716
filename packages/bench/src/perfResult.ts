/** `300000 records sent, 60000.0 records/sec (…)` is its last line, which does not contain the seconds. */
export const perfResult = (stdout: string): { readonly delivered: number; readonly seconds: number } => {
  const [, records, rate] = /(\d+) records sent, ([\d.]+) records\/sec[^\n]*\d+th\.\s*$/m.exec(stdout) ?? []
  if (records === undefined) throw new Error(`unexpected output: ${stdout.slice(-500)}`)
  return { delivered: Number(records), seconds: Number(records) / Number(rate) }
}
