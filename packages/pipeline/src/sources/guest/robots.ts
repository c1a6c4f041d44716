import parse from 'robots-parser'

/** The response to a request for robots.txt. */
export interface RobotsAnswer {
  readonly status: number
  readonly text: string
}

type Rules = ReturnType<typeof parse>

/**
 * The robots.txt of the sites of a crawl. Each is fetched once, with our own user agent, which is also the one that the
 * rules are applied to. Without the file everything is allowed (RFC 9309, 2.3.1.3).
 */
export class Robots {
  private readonly rules = new Map<string, Promise<Rules>>()
  private readonly fetchFile: (address: string) => Promise<RobotsAnswer>
  private readonly userAgent: string

  constructor(userAgent: string, fetchFile: (address: string) => Promise<RobotsAnswer>) {
    this.userAgent = userAgent
    this.fetchFile = fetchFile
  }

  /** @throws what `fetchFile` threw: if the site cannot serve its rules, nothing is allowed */
  readonly allows = async (address: string): Promise<boolean> => {
    const { origin } = new URL(address)
    const rules = this.rules.get(origin) ?? this.fetchRules(`${origin}/robots.txt`)
    this.rules.set(origin, rules)
    return (await rules).isAllowed(address, this.userAgent) ?? true
  }

  private readonly fetchRules = async (address: string): Promise<Rules> => {
    const { status, text } = await this.fetchFile(address)
    return parse(address, status < 300 ? text : '')
  }
}
