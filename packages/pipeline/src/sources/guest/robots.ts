import { RobotsTxtFile } from '@crawlee/utils'

/** What a site's robots.txt says, as far as it was answered: its text and its status. */
export interface RobotsAnswer {
  readonly status: number
  readonly text: string
}

/**
 * The rules of the sites of a crawl, asked for once for each origin.
 *
 * crawlee's `respectRobotsTxtFile` would fetch the file itself, under the name of some common browser; a guest reads
 * the rules under the name that they are to be applied to. Without a file everything is allowed (RFC 9309, 2.3.1.3).
 */
export class Robots {
  private readonly files = new Map<string, Promise<RobotsTxtFile>>()
  private readonly fetchFile: (address: string) => Promise<RobotsAnswer>
  private readonly userAgent: string

  constructor(userAgent: string, fetchFile: (address: string) => Promise<RobotsAnswer>) {
    this.userAgent = userAgent
    this.fetchFile = fetchFile
  }

  /** @throws what `fetchFile` threw: where the rules can't be read for the server's fault, nothing is allowed */
  readonly allows = async (address: string): Promise<boolean> => {
    const { origin } = new URL(address)
    const file = this.files.get(origin) ?? this.fetchRules(`${origin}/robots.txt`)
    this.files.set(origin, file)
    return (await file).isAllowed(address, this.userAgent)
  }

  private readonly fetchRules = async (address: string): Promise<RobotsTxtFile> => {
    const { status, text } = await this.fetchFile(address)
    return RobotsTxtFile.from(address, status < 300 ? text : '')
  }
}
