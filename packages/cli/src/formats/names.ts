/** The formats of rows. It imports nothing: help lists them. */
export const formatNames = ['table', 'json', 'ndjson', 'csv', 'parquet'] as const

/** One of these formats. */
export type FormatName = (typeof formatNames)[number]

/** The format for a file by its extension, or null. */
export const formatOfFile = (file: string): FormatName | null => {
  const extension = /\.(\w+)$/.exec(file)?.[1]?.toLowerCase() ?? ''
  return formatNames.find(name => name === (extension === 'jsonl' ? 'ndjson' : extension)) ?? null
}
