import fc from 'fast-check'

/** How many mutants each fuzz test reads. The seed is printed, and repeats a run: `OFFSTREAM_FUZZ_SEED=7 npm run test:fuzz`. */
export const runs = Number(process.env['OFFSTREAM_FUZZ_RUNS'] ?? 25_000)
export const seed = Number(process.env['OFFSTREAM_FUZZ_SEED'] ?? Date.now() % 2 ** 31)

/** Of a failure, smaller inputs are searched for as long as this allows. Without a limit that can take hours. */
export const parameters = {
  ...{ seed, numRuns: runs },
  ...{ interruptAfterTimeLimit: Math.max(120_000, runs * 20), markInterruptAsFailure: true },
} as const

/** A number for each change; where and what is relative to the length, so that failures shrink. */
interface Change {
  readonly kind: 'flip' | 'delete' | 'insert' | 'repeat' | 'truncate'
  readonly at: number
  readonly length: number
  readonly byte: number
}

/** A few changes of bytes, as damaged disks, lost packets and faulty programs cause them. */
export const changes: fc.Arbitrary<readonly Change[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('flip', 'delete', 'insert', 'repeat', 'truncate'),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.integer({ min: 1, max: 40 }),
    // Most inputs are text: the bytes of its syntax damage more than others.
    byte: fc.oneof(
      fc.constantFrom(...Buffer.from('0123456789')),
      fc.constantFrom(...Buffer.from('"{}[],:\\\t\n\r0-.e')),
      fc.integer({ min: 0, max: 255 }),
    ),
  }),
  { maxLength: 3 },
)

/** A replacement for a value somewhere in a JSON value, or its removal. */
export const replacements = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    by: fc.option(fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.constantFrom(2 ** 53, 1e300, -1, '1e5', '\0')), {
      nil: undefined,
    }),
  }),
  { maxLength: 2 },
)

type Replacement = typeof replacements extends fc.Arbitrary<readonly (infer Each)[]> ? Each : never

/** A copy of a JSON value in which some values are replaced or removed. */
export const replaced = (value: unknown, all: readonly Replacement[]): unknown =>
  all.reduce<unknown>((before, { at, by }) => {
    const copy: unknown = structuredClone(before)
    const slots = slotsOf(copy)
    const slot = slots[Math.min(Math.floor(at * slots.length), slots.length - 1)]
    if (slot === undefined) return by ?? null
    if (by === undefined) delete slot.parent[slot.name]
    else slot.parent[slot.name] = by
    return copy
  }, value)

interface Slot {
  readonly parent: Record<string, unknown>
  readonly name: string
}

const slotsOf = (value: unknown): readonly Slot[] => {
  if (typeof value !== 'object' || value === null) return []
  const parent = value as Record<string, unknown>
  return Object.keys(parent).flatMap(name => [{ parent, name }, ...slotsOf(parent[name])])
}

/** The bytes after these changes. */
export const mutated = (bytes: Buffer, all: readonly Change[]): Buffer => all.reduce(changed, bytes)

const changed = (before: Buffer, { kind, at, length, byte }: Change): Buffer => {
  const from = Math.min(Math.floor(at * before.length), Math.max(0, before.length - 1))
  const [head, tail] = [before.subarray(0, from), before.subarray(from)]
  switch (kind) {
    case 'flip':
      return Buffer.concat([head, Buffer.from([byte]), tail.subarray(1)])
    case 'delete':
      return Buffer.concat([head, tail.subarray(length)])
    case 'insert':
      return Buffer.concat([head, Buffer.from([byte]), tail])
    case 'repeat':
      return Buffer.concat([head, tail.subarray(0, length), tail])
    case 'truncate':
      return head
  }
}
