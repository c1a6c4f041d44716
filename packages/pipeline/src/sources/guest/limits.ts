/** The maximum number of redirects of one request. */
export const maxRedirects = 5

/**
 * The maximum size of a page with everything that it loads, unpacked. A list with its scripts has about 2 MB. Chromium
 * itself fails at about 30 MB.
 */
export const maxPageBytes = 8 * 1024 * 1024

/** The maximum size of a response of an API. A hundred whole products have about 3 MB. */
export const maxAnswerBytes = 32 * 1024 * 1024

/** A size in the unit of messages: `8 MB`. */
export const megabytes = (bytes: number): string => `${bytes / 1024 / 1024} MB`
