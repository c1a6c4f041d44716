import type { FileMetaData, SchemaElement } from 'hyparquet'

/** The members that are read of the items of a list. The official export has eight for each nutrient, and ten for each image. */
const wantedMembers: Readonly<Record<string, ReadonlySet<string>>> = {
  nutriments: new Set(['name', '100g']),
  images: new Set(['key', 'rev']),
}

const none: ReadonlySet<string> = new Set()

/** The metadata of a file without the members of lists that are not read, so that they are neither fetched nor decoded. */
export const pruned = (metadata: FileMetaData): FileMetaData => {
  const leaves = metadata.row_groups[0]?.columns.map(({ meta_data }) => meta_data?.path_in_schema ?? []) ?? []
  /** The members that are read of the items of a list; undefined for all. */
  const wantedOf = (list: string): ReadonlySet<string> | undefined => {
    const wanted = wantedMembers[list] ?? none
    const found = leaves.filter(path => path[0] === list && path.length === 4 && wanted.has(path[3] ?? ''))
    return found.length === wanted.size && found.length > 0 ? wanted : undefined
  }
  const unread = new Set<string>()
  const schema: SchemaElement[] = []
  let next = 0
  /** Copies an element and those below it. @returns whether it is read */
  const copy = (path: readonly string[], parent: SchemaElement | null): boolean => {
    const element = metadata.schema[next]
    next += 1
    if (element === undefined) return false
    const own = parent === null ? [] : [...path, element.name]
    const at = schema.push({ ...element }) - 1
    let children = 0
    for (let child = 0; child < (element.num_children ?? 0); child += 1) if (copy(own, element)) children += 1
    const copied = schema[at]
    if (copied !== undefined && element.num_children !== undefined) copied.num_children = children
    // A list is three levels: itself, its items, and their members.
    const wanted = own.length === 4 ? wantedOf(own[0] ?? '') : undefined
    if (wanted === undefined || wanted.has(element.name)) return true
    schema.splice(at)
    unread.add(own.join('.'))
    return false
  }
  copy([], null)
  const isRead = (path: readonly string[]) => !unread.has(path.slice(0, 4).join('.'))
  return {
    ...metadata,
    schema,
    row_groups: metadata.row_groups.map(group => ({
      ...group,
      columns: group.columns.filter(
        ({ meta_data }) => meta_data === undefined || isRead(meta_data.path_in_schema),
      ),
    })),
  }
}
