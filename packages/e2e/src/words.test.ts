import { expect, test } from 'vitest'
import { filesWith, linesOf } from './repository.ts'

/** Words that offstream does not use, and the words to use instead. Letters around a match make it another word. */
const avoided: readonly (readonly [words: string, instead: string])[] = [
  ['(?:told|tells)(?! apart)', 'reports, logs, shows, prints'],
  ['fell|fells|falls(?! back)|fallen', 'crashed'],
  ['(?:is|are|was|were) no (?!longer|more)[a-z]+', 'is not a …, does not exist'],
  ['there (?:is|are|was|were) none', 'does not exist, was not found'],
  ["(?:can|won|don|doesn|didn|isn|aren|wasn|weren|couldn|shouldn)['’]t", 'cannot, does not, is not'],
  ["need not(?! be)|needn['’]t", 'does not have to'],
  ['(?:come|comes|came) true', 'is met'],
  ['stands? (?:in )?for', 'means, matches, replaces'],
  ['lies|lay(?! out)|at hand', 'is in, is next to'],
  ['(?:any more|anymore)', 'no longer'],
  ['goes? on|went on', 'continues'],
  [
    'of ours|of (?:my|its|our|their|your) own(?! [a-z])|for good|by guess',
    'in offstream, our own, permanently, guessed',
  ],
  ['as (?:it|they) comes?', 'with default settings, as they happen'],
  ['keepers?|kept alive|cares? for', 'daemon, manages'],
  ['ended|by force', 'stopped, exited, killed'],
  ['anew|brought up', 'restarts, starts, again'],
  ['(?:leave|leaves|leaving|left) (?:it|one|them) away', 'omit'],
  ['mend|mends|mended|mending', 'fix'],
  ['the person|persons|whoever|somebody', 'the user, the caller, clients'],
  ['wished|wishes|as you wish', 'requested, expected'],
  ['parted|taken? apart|takes apart', 'split, parsed'],
  ['in hand|merely|besides', 'running, only, also'],
  ['asked', 'probed, queried, requested'],
  ['news|last words', 'message, last log lines'],
  ['nobody (?:answers|answered)', 'could not connect to'],
]

/** Parts of identifiers that offstream does not use. */
const avoidedParts = [
  '\\w*(?:Told|Tells|Fell|Falls|Usual|Asked|Kept|Wished|Anew|Ended)(?![a-z])\\w*',
  '(?:usual|least|longest)[A-Z]\\w*',
  '\\w*(?<![Zz]oo)Keeper\\w*|keeper[A-Z_]\\w*|KEEPER\\w*',
]

const patterns = [
  ...avoided.map(([words, instead]) => ({
    pattern: new RegExp(`(?<![A-Za-z])(?:${words})(?![A-Za-z])`, 'gi'),
    instead,
  })),
  {
    pattern: new RegExp(`(?<![A-Za-z_])(?:${avoidedParts.join('|')})`, 'g'),
    instead: 'a name in plain words',
  },
]

/** Lines that keep such a word, because they quote others or need its other meaning. */
const allowed: readonly { readonly file: RegExp; readonly line: RegExp; readonly reason: string }[] = [
  { file: /words\.test\.ts$/, line: /./, reason: 'the list itself' },
  { file: /generated\/assortment\.ts$/, line: /./, reason: 'names of products' },
  {
    file: /knownProblems(\.test)?\.ts$/,
    line: /KeeperException|doesn't match stored clusterId|in Kafka any more/,
    reason: 'log lines of ZooKeeper and Kafka',
  },
  {
    file: /^CHANGELOG\.md$/,
    line: /KEEPER_|`keeper`|`asked`/,
    reason: 'the old names of renamed codes and events',
  },
]

/** Each avoided word in a file, with its place. */
const wordsIn = (file: string): string[] =>
  linesOf(file).flatMap((line, index) => {
    if (allowed.some(each => each.file.test(file) && each.line.test(line))) return []
    return patterns.flatMap(({ pattern, instead }) =>
      [...line.matchAll(pattern)].map(([word]) => `${file}:${index + 1}: ${word} (instead: ${instead})`),
    )
  })

test.each(['.ts', '.tsx', '.py', '.java', '.md', '.yaml', '.sql', '.properties', '.xml'])(
  '%s files use plain words',
  extension => {
    const files = filesWith(extension === '.yaml' ? ['.yaml', '.yml'] : [extension])
    expect(files.flatMap(wordsIn)).toEqual([])
  },
)
