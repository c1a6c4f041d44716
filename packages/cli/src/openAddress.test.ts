import { afterEach, expect, test, vi } from 'vitest'
import { openAddress } from './openAddress.ts'

afterEach(() => vi.unstubAllEnvs())

test('without a program that opens addresses, the address is in the hint', async () => {
  vi.stubEnv('PATH', '/nowhere')
  await expect(openAddress('http://127.0.0.1:8686')).rejects.toMatchObject({
    ...{ code: 'BROWSER_MISSING', hint: 'open http://127.0.0.1:8686 in a browser' },
  })
})
