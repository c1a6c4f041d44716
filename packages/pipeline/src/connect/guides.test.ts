import { describe, expect, test } from 'vitest'
import { connectTools } from '../names.ts'
import { guideFor, type Place } from './guides.ts'

const place: Place = {
  ...{ host: '10.0.0.7', port: 10_123, warehouse: "/it's mine/lake", catalog: "/it's mine/lake/catalog.db" },
  ...{ catalogUser: null, rest: null, store: {}, beeline: "/it's mine/bin/beeline" },
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

test('a catalog in PostgreSQL is opened by its address, without the password', () => {
  const catalog = 'postgresql://db.example.org:5433/lake'
  const { samples, steps } = guideFor('polars', { ...place, catalog, catalogUser: 'off stream' })
  expect(samples[0]?.text).toContain(
    'uri="postgresql+psycopg2://off%20stream@db.example.org:5433/lake", warehouse=',
  )
  expect(steps.slice(0, 2)).toEqual([
    'pip install polars "pyiceberg[sql-postgres,pyarrow]"',
    'Set PGPASSWORD to the password of the catalog, or write it to `~/.pgpass`.',
  ])
})

test('a REST catalog is opened with its settings, and the environment variable with the secret', () => {
  const rest = {
    properties: { uri: 'https://catalog.example.org', warehouse: 'shop', ssl: { cabundle: '/ca.pem' } },
    ...{ user: 'me', passwordVariable: 'LAKE_PW' },
  }
  const { samples, steps } = guideFor('polars', { ...place, rest })
  expect(samples[0]?.text).toContain(
    [
      'secret = os.environ["LAKE_PW"]',
      'login = {"credential": "me:" + secret}',
      'catalog = RestCatalog("lake", **{"uri":"https://catalog.example.org","warehouse":"shop","ssl":{"cabundle":"/ca.pem"}}, **login)',
    ].join('\n'),
  )
  expect(steps.slice(0, 2)).toEqual([
    'pip install polars "pyiceberg[pyarrow]"',
    'Set LAKE_PW to the password or the token of the catalog.',
  ])
  const withToken = guideFor('polars', { ...place, rest: { ...rest, user: null } })
  expect(withToken.samples[0]?.text).toContain('login = {"token": secret}')
})

test('tables in an object store are opened with its settings, without the keys', () => {
  const store = { 's3.endpoint': 'http://s3.example.org', 's3.region': 'eu-west-3' }
  const { samples, steps } = guideFor('polars', { ...place, warehouse: 's3://bucket/lake', store })
  expect(samples[0]?.text).toContain(
    'warehouse="s3://bucket/lake", **{"s3.endpoint":"http://s3.example.org","s3.region":"eu-west-3"})',
  )
  expect(steps[1]).toBe('Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to the keys of the object store.')
})
