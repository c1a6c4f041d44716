/** Names and values to remove, in addition to what is recognised by its form. */
export interface Known {
  /** Home directory, absolute. */
  readonly home: string
  /** The user's name on this machine. */
  readonly user: string
  readonly host: string
  /** Values that are secret at every place, such as those of environment variables. */
  readonly secrets: readonly string[]
}

/** The replacement for what was removed. */
export const removed = '[removed]'

/** Names with secret values. `contact` is the address of the user, but PWD is only a folder. */
const secretName = [
  ...['pass(?:word|wd|phrase)', '[_.-]pwd', String.raw`\bpwd(?=\\*["'])`, 'secret', 'token', 'credential'],
  '(?:api|access|private|account|signing|encryption|sas)[_.-]?key',
  ...['contact', 'jaas[_.-]?config', 'user[_.-]?name'],
].join('|')

const isSecretName = new RegExp(secretName, 'i')

/** Whether a variable, a setting or an option has a secret value by its name, such as `--auth-token`. */
export const isSecret = (name: string): boolean => isSecretName.test(name)

/** The values that are secret by their names, such as those of `OFFSTREAM_WEB_CONTACT` and `AWS_SECRET_ACCESS_KEY`. */
export const secretValues = (entries: Iterable<readonly [name: string, value: unknown]>): string[] =>
  [...entries].flatMap(([name, value]) =>
    isSecretName.test(name) && typeof value === 'string' ? [value] : [],
  )

/**
 * Removes secrets from texts: values with secret names, credentials in addresses and headers, keys and tokens by their
 * form, e-mail addresses, the names of the user and the machine. It removes too much rather than too little, but no rule
 * knows every secret: users should read a text before they share it.
 */
export class Redaction {
  readonly #rules: readonly Rule[]
  #count = 0

  /** @param known without names, only secrets are removed */
  constructor(known: Known | Pick<Known, 'secrets'>) {
    this.#rules = [...literalRules(known.secrets), ...formRules, ...('home' in known ? nameRules(known) : [])]
  }

  /** How many values were removed, except paths and names. */
  get count(): number {
    return this.#count
  }

  readonly apply = (text: string): string =>
    this.#rules.reduce(
      (left, { pattern, by, silent }) =>
        left.replace(pattern, (...found: string[]) => {
          if (!silent) this.#count += 1
          return by(found)
        }),
      text,
    )
}

interface Rule {
  /** Has the flag g. */
  readonly pattern: RegExp
  /** @param found the match and its groups, as `replace` passes them */
  readonly by: (found: readonly string[]) => string
  /** Not counted: a path means the same without the name of its owner. */
  readonly silent?: boolean
}

// Each pattern starts at the start of a word, so that the cost of a line is proportional to its length.
// A quote may be escaped: log lines often contain JSON inside of JSON.
const sign = String.raw`\\*["']?\s*(?:[=:]|=>)\s*`
const value = String.raw`(?:\\+"(?:(?!\\+").)*\\+"|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|[^\s"'][^\s]*)`

const before = ([, kept = '']: readonly string[]): string => `${kept}${removed}`

const formRules: readonly Rule[] = [
  {
    pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
    by: () => removed,
  },
  // https://name:password@host, and a token in the place of both.
  {
    pattern: /(?<![a-z0-9+.-])([a-z][a-z0-9+.-]*:\/\/)[^\s/"'`<>]*@/gi,
    by: ([, scheme]) => `${scheme}${removed}@`,
  },
  {
    pattern: /\b((?:proxy-)?authorization|(?:set-)?cookie)(["']?\s*[:=]\s*).+/gi,
    by: ([, a, b]) => `${a}${b}${removed}`,
  },
  { pattern: /\b(Bearer|Basic)(\s+)[\w+/.~-]{8,}=*/g, by: ([, a, b]) => `${a}${b}${removed}` },
  // A line of properties or YAML: everything after the sign is the value.
  {
    pattern: new RegExp(
      String.raw`^(\s*(?:- )?[\w.-]*(?:${secretName})[\w.-]*\s*[=:][ \t]*)(?![ \t]).+`,
      'gim',
    ),
    by: before,
  },
  {
    pattern: new RegExp(String.raw`(?<![\w.-])([\w.-]*(?:${secretName})[\w.-]*${sign})${value}`, 'gi'),
    by: before,
  },
  { pattern: new RegExp(String.raw`(<[\w.:-]*(?:${secretName})[\w.:-]*>)[^<]+`, 'gi'), by: before },
  { pattern: new RegExp(String.raw`(--?[\w-]*(?:${secretName})[\w-]*\s+)(?!-)${value}`, 'gi'), by: before },
  // JSON Web Tokens, and keys of AWS, GitHub, GitLab, Slack, Google, npm and PyPI by their documented forms.
  { pattern: /\beyJ[\w-]{6,}\.[\w-]{6,}\.[\w-]*/g, by: () => removed },
  { pattern: /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g, by: () => removed },
  {
    pattern:
      /\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{10,}|AIza[\w-]{30,}|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,})/g,
    by: () => removed,
  },
  { pattern: /(?<![\w.%+$-])[\w.%+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b(?!\()/gi, by: () => removed },
]

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')

/** Secrets as they are, and as written in addresses and JSON. Short ones are omitted, because many words contain them. */
const literalRules = (secrets: readonly string[]): Rule[] =>
  [...new Set(secrets.flatMap(text => [text, encodeURIComponent(text), JSON.stringify(text).slice(1, -1)]))]
    .filter(text => text.length >= 6)
    .sort((one, other) => other.length - one.length)
    .map(text => ({ pattern: new RegExp(escaped(text), 'g'), by: () => removed }))

/** Names that identify nobody and are common in logs. */
const commonNames = new Set(
  'root admin user node app dev test runner ubuntu debian vscode docker jenkins circleci spark kafka localhost'.split(
    ' ',
  ),
)

const nameRules = ({ home, user, host }: Known): Rule[] => {
  const word = (name: string): RegExp => new RegExp(String.raw`(?<![\w-])${escaped(name)}(?![\w-])`, 'g')
  const names = [
    { name: user, by: '[user]' },
    { name: host, by: '[host]' },
    { name: host.split('.')[0] ?? '', by: '[host]' },
  ]
  return [
    ...(home.length > 1 ? [{ pattern: word(home), by: () => '~', silent: true }] : []),
    // Also of other users.
    {
      pattern: /(\/home\/|\/Users\/|\\Users\\+)[^\s/\\"'`:]+/g,
      by: ([, folder]) => `${folder}[user]`,
      silent: true,
    },
    ...names
      .filter(({ name }) => name.length >= 3 && !commonNames.has(name))
      .map(({ name, by }) => ({ pattern: word(name), by: () => by, silent: true })),
  ]
}
