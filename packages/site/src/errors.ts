import { type ErrorDefinition, errorClass } from '@offstream/runtime/errors'

/** The codes that this package throws. */
export const siteErrors = {
  CATALOGUE_UNREADABLE: {
    outcome: 'usage',
    cause:
      'The file of `site --catalogue` does not exist, or a line of it is not a product; the message says which.',
    remedy: 'Use JSON Lines in the form of the Open Food Facts API, plain or `.gz`.',
  },
  FAULT_UNKNOWN: {
    outcome: 'usage',
    cause: 'The stand-in site has no fault with this name.',
    remedy: 'Use one of the names that the message lists.',
  },
} as const satisfies Readonly<Record<string, ErrorDefinition>>

export class SiteError extends errorClass(siteErrors) {}
