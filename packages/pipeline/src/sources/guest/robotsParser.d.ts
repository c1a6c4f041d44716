// The types of robots-parser 3.0.1 declare `export default`, which its CommonJS `module.exports` does not have in Node.
declare module 'robots-parser' {
  interface Rules {
    /** undefined if the address is on another origin than robots.txt. */
    readonly isAllowed: (address: string, userAgent?: string) => boolean | undefined
  }
  const parse: (address: string, text: string) => Rules
  export default parse
}
