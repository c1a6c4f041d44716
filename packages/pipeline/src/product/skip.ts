/** The stable names of the reasons why an input produces no record. The summary of a scrape counts by them. */
const skipReasons = [
  /** It has no barcode, or a number that is too large or too rounded to be one. */
  'no-code',
  'invalid-code',
  /** It has a barcode, and nothing else that a product has. */
  'no-product-fields',
  /** An API response: the site does not know the product. */
  'not-found',
  /** It lacks whole parts of a product, and the setting `scrape.partial` is `skip`. */
  'partial',
  /** Cosmetics, pet food and other products belong to other sites. */
  'other-product-type',
  /** An API response that contains no product for another reason. */
  'no-product-in-response',
  /** The envelope of another program that contains no row, such as a message about a table that was emptied. */
  'no-product-in-envelope',
  /** A message in Avro, Protobuf or another form that is not text. */
  'binary-message',
  /** The product no longer exists, and this run does not delete. */
  'gone',
  'not-an-object',
  'invalid-json',
  'invalid-utf8',
  'too-long',
  /** A row of a CSV file that does not match its header. */
  'invalid-row',
  /** The last part of a compressed file is missing. */
  'truncated',
  /** Bytes after the end of a compressed file. */
  'trailing-bytes',
  /** The value of a message does not match the columns of the record. */
  'invalid-record',
  /** A web page that could not be loaded, after several attempts. */
  'unreadable-page',
  /** A web page that is neither a product nor a list. */
  'unknown-page',
  /** A web page whose nutrition table has no known label: null would replace known values. */
  'unknown-nutrition-table',
  /** A web page that shows another product than its address. */
  'other-product',
  /** robots.txt disallows the address. */
  'disallowed',
  /** A list names an address on another site. */
  'other-site',
  /** The input moved to another site. */
  'redirected',
  /** The index of daily changes no longer lists all changes since the last run. */
  'changes-missing',
] as const

/** The stable name of a reason. */
export type SkipReason = (typeof skipReasons)[number]

/** Why an input produces no record: the stable name, and the text for the user. */
export interface Skip {
  readonly skippedBy: SkipReason
  readonly reason: string
}

/** How many inputs were skipped for each reason; a reason without inputs is missing. */
export type SkipCounts = Readonly<Partial<Record<SkipReason, number>>>
