import { describe, expect, test } from 'vitest'
import { connectTools } from '../names.ts'
import { guideFor, type Place } from './guides.ts'

const place: Place = {
  ...{ host: '10.0.0.7', port: 10_123, warehouse: "/it's mine/lake", catalog: "/it's mine/lake/catalog.db" },
  beeline: "/it's mine/bin/beeline",
  ...{ login: null, tls: null },
}

const protectedPlace: Place = {
  ...place,
  ...{ login: { username: 'ana', passwordVariable: 'THRIFT_PW' }, tls: { caFile: "/it's mine/ca.pem" } },
}

describe.each(connectTools)('the guide for %s', tool => {
  const guide = guideFor(tool, place)

  test('has steps, and shows the location of the table', () => {
    expect(guide.steps.length).toBeGreaterThan(0)
    expect(JSON.stringify(guide)).toMatch(/10\.0\.0\.7|it's mine/)
  })

  test('contains no other host and no other folder', () => {
    const text = JSON.stringify(guide)
    expect(text.match(/localhost|127\.0\.0\.1|10000|\.offstream/g)).toBeNull()
  })
})

test('the clients of a server with password and TLS get the user, the variable and the authority', () => {
  const text = (tool: 'jdbc' | 'dbt' | 'python') => JSON.stringify(guideFor(tool, protectedPlace))
  expect(text('jdbc')).toMatch(
    /;ssl=true;sslTrustStore=offstream-ca\.p12;.*keytool -importcert.*-w beeline\.password/,
  )
  expect(text('dbt')).toMatch(/auth: LDAP.*env_var\('THRIFT_PW'\)/)
  expect(text('python')).toMatch(/user=.{2}ana.{2}, password=os\.environ\[.{2}THRIFT_PW.{2}\].*ca_cert=/)
  expect(guideFor('tableau', protectedPlace).settings).toMatchObject({
    Authentication: 'Username and password',
    'Require SSL': 'yes',
  })
})

test('a path with quotes stays one word of the shell and one string of Python', () => {
  const sampleOf = (tool: 'jdbc' | 'duckdb') => guideFor(tool, place).samples[0]?.text
  expect(sampleOf('jdbc')).toMatch(
    /^'\/it'\\''s mine\/bin\/beeline' -u jdbc:hive2:\/\/10\.0\.0\.7:10123\/default /,
  )
  expect(sampleOf('duckdb')).toContain(`"sqlite:///" + "/it's mine/lake/catalog.db"`)
  expect(sampleOf('duckdb')).toContain(`warehouse="file:///it's%20mine/lake"`)
})

test('without a running stack, JDBC has no beeline command', () => {
  const { samples, steps } = guideFor('jdbc', { ...place, beeline: null })
  expect(samples).toEqual([])
  expect(steps.at(-1)).toContain('while the stack is running')
})
