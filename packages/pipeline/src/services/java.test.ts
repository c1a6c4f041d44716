import { expect, test } from 'vitest'
import { environmentOf } from './java.ts'

test('services get what they need of the environment, and no secret', () => {
  const taken = { PATH: '/bin', HOME: '/home/me', JAVA_HOME: '/java', SPARK_CONF_DIR: '/conf', TZ: 'UTC' }
  const secrets = {
    ...{ AWS_SECRET_ACCESS_KEY: 'x', OFFSTREAM_TOPIC_PASSWORD: 'x', HTTPS_PROXY: 'http://me:x@proxy' },
    ...{ MY_PATH: 'x', SPARKLE: 'x' },
  }
  expect(environmentOf({ ...taken, ...secrets, LC_ALL: 'de_DE', LANG: undefined })).toEqual({
    ...taken,
    LC_ALL: 'C.UTF-8',
  })
})
