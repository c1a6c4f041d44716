import type { Config } from '../project/config.ts'
import type { Directories } from '../project/directories.ts'
import type { Runtimes } from '../runtimes/distributions.ts'
import type { Archives } from '../stack/archives.ts'

/** What services are built from. */
export interface Surroundings {
  /** Folder of the project, whose own templates and programs are used where it has them. */
  readonly project: string
  readonly config: Config
  readonly runtimes: Runtimes
  /** What makes Java's programs start sooner; null where there is none. */
  readonly archives: Archives | null
  readonly directories: Directories
}
