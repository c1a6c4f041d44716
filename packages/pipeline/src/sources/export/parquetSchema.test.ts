import { type FileMetaData, parquetMetadata, parquetReadObjects, type SchemaElement } from 'hyparquet'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { expect, test } from 'vitest'
import { pruned } from './parquetSchema.ts'

const number = (name: string): SchemaElement => ({ name, type: 'DOUBLE', repetition_type: 'OPTIONAL' })
const list = (name: string, ...members: readonly string[]): SchemaElement[] => [
  { name, repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
  { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
  { name: 'element', repetition_type: 'OPTIONAL', num_children: members.length },
  ...members.map(number),
]

const rowsOf = async (file: ArrayBuffer, metadata: FileMetaData) => parquetReadObjects({ file, metadata })

test('only the members of nutriments and images that the record needs are read', async () => {
  const schema = [
    { name: 'root', num_children: 3 },
    ...list('nutriments', 'value', 'name', '100g', 'serving'),
    ...list('images', 'x', 'y'),
    number('code'),
  ]
  const file = parquetWriteBuffer({
    schema,
    columnData: [
      { name: 'nutriments', data: [[{ value: 1, name: 2, '100g': 3, serving: 4 }]] },
      { name: 'images', data: [[{ x: 5, y: 6 }]] },
      { name: 'code', data: [7] },
    ],
  })
  const rows = await rowsOf(file, pruned(parquetMetadata(file)))
  expect(rows).toEqual([{ nutriments: [{ name: 2, '100g': 3 }], images: [{ x: 5, y: 6 }], code: 7 }])
})
