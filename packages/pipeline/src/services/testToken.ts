/** A token of the user `mirror` that is not signed: the broker of `startKafka` accepts it. */
export const unsignedToken = (expires: Date, claims: Readonly<Record<string, unknown>> = {}): string => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const times = { iat: Math.floor(Date.now() / 1_000) - 1, exp: expires.getTime() / 1_000 }
  return `${part({ alg: 'none' })}.${part({ sub: 'mirror', ...times, ...claims })}.`
}
