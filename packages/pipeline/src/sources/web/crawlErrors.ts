import type { OffstreamError } from '@offstream/runtime'
import { PipelineError } from '../../errors.ts'
import { maxPageBytes } from '../guest/limits.ts'
import { blocked, redirectedElsewhere, responseTooLarge, unreachable } from '../guest/siteErrors.ts'
import { RedirectedAway, type VisitError } from '../guest/visitError.ts'

/** robots.txt disallows the start address. */
export const disallowed = (address: string) =>
  new PipelineError('SOURCE_DISALLOWED', `The robots.txt of the site disallows \`${address}\``, {
    hint: 'start at the home page, a category or a product; to search, use `--source api --search`',
  })

/** A page without which the crawl cannot continue could not be read: its start address, or robots.txt. */
export const unreadable = (address: string, error: VisitError): OffstreamError => {
  if (error instanceof RedirectedAway) return redirectedElsewhere(address, error.to)
  if (error.kind === 'endless') return blocked(address, error.message)
  return error.kind === 'too large' ? responseTooLarge(address, maxPageBytes) : unreachable(address, error)
}

/** Pages have none of the elements that these selectors find. */
export const layoutChanged = (address: string, selectors: readonly string[]) =>
  new PipelineError(
    'LAYOUT_CHANGED',
    `The pages of \`${new URL(address).host}\` have an unknown layout: nothing matches ${selectors.map(selector => `\`${selector}\``).join(' and ')}`,
    {
      hint: 'use `--source export` or `--source api`, which do not depend on the layout, until a newer version of offstream supports it',
    },
  )

/** The nutrition table of a page has other labels than those of Open Food Facts. */
export const unknownNutritionTable = (address: string, selector: string) =>
  new PipelineError(
    'LAYOUT_CHANGED',
    `The nutrition table of \`${address}\` has an unknown layout: none of the rows that match \`${selector}\` has a known label`,
    { hint: 'use `--source export` or `--source api`, which do not depend on the layout' },
  )

/** The site reported `count` products in a row as unknown. */
export const productsLost = (address: string, count: number) =>
  new PipelineError(
    'PRODUCTS_LOST',
    `\`${new URL(address).host}\` reported ${count} products in a row as unknown; none of them was deleted`,
    {
      hint: 'open the site in a browser, and scrape again when it shows products; `offstream topic produce --delete <code>` deletes a product that no longer exists',
    },
  )

/** The start address is neither a list nor a product. */
export const notASource = (address: string, reason: string) =>
  new PipelineError('NOT_A_SOURCE', `No products were found at \`${address}\`: ${reason}`, {
    hint: 'use the address of a list of products, such as the home page or a category, or of one product',
  })
