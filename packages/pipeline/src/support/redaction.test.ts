import { describe, expect, test } from 'vitest'
import { Redaction, secretValues } from './redaction.ts'

const redaction = () =>
  new Redaction({
    home: '/home/jane',
    user: 'jane',
    host: 'janes-laptop.example',
    secrets: ['open sesame', 'p@ss/word'],
  })

describe('what is removed', () => {
  const planted: readonly [text: string, left: string][] = [
    // By its name, in the forms of configuration files, programs and logs.
    ['sasl.password=hunter2hunter2', 'sasl.password=[removed]'],
    ['ssl.key.password = with three words', 'ssl.key.password = [removed]'],
    ['  contact: Jane Doe, +33 1 23 45', '  contact: [removed]'],
    ['contact: null', 'contact: [removed]'],
    ['{"password":"hunter2","port":1}', '{"password":[removed],"port":1}'],
    ['{"apiKey": "a\\"b c", "port":1}', '{"apiKey": [removed], "port":1}'],
    [
      String.raw`"{\"password\":\"hunter2 x\",\"port\":1}"`,
      String.raw`"{\"password\":[removed],\"port\":1}"`,
    ],
    ["{'secret': 'it is', 'n': 1}", "{'secret': [removed], 'n': 1}"],
    ['started with --api-token hunter2 --port 1', 'started with --api-token [removed] --port 1'],
    ['started with --set web.contact=me --port 1', 'started with --set web.contact=[removed] --port 1'],
    ['GET /x?a=1&access_token=hunter2 200', 'GET /x?a=1&access_token=[removed] 200'],
    [
      '<javax.jdo.ConnectionPassword>hunter2</javax.jdo.ConnectionPassword>',
      '<javax.jdo.ConnectionPassword>[removed]</javax.jdo.ConnectionPassword>',
    ],
    [
      'props: sasl.jaas.config=org.x.PlainLoginModule required username="jd" password="hunter2";',
      'props: sasl.jaas.config=[removed] required username=[removed] password=[removed];',
    ],
    [`{'pwd': 'hunter2'} MYSQL_PWD=hunter2`, `{'pwd': [removed]} MYSQL_PWD=[removed]`],
    ['AWS_SECRET_ACCESS_KEY=abc/def+ghi', 'AWS_SECRET_ACCESS_KEY=[removed]'],
    // By its form.
    ['https://jane:hunter2@proxy.example:8080/x', 'https://[removed]@proxy.example:8080/x'],
    ['jdbc:postgresql://hunter2@db.example/lake', 'jdbc:postgresql://[removed]@db.example/lake'],
    ['Authorization: Digest a="b", c="d"', 'Authorization: [removed]'],
    ['sent Bearer abcdefgh.ijkl== to it', 'sent Bearer [removed] to it'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N', '[removed]'],
    ['AKIAIOSFODNN7EXAMPLE', '[removed]'],
    ['ghp_16C7e42F292c6912E7710c838347Ae178B4a', '[removed]'],
    ['-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nnext', '[removed]\nnext'],
    ['-----BEGIN PRIVATE KEY-----\nMIIE\nMIIF', '[removed]'],
    ['offstream/0.1.0 (+mailto:jane.doe@example.org)', 'offstream/0.1.0 (+mailto:[removed])'],
    // By its value, wherever it stands.
    ['it said open sesame!', 'it said [removed]!'],
    ['/x?q=open%20sesame and /x?q=p%40ss%2Fword', '/x?q=[removed] and /x?q=[removed]'],
    // Person and machine.
    ['/home/jane/shop/offstream.yaml', '~/shop/offstream.yaml'],
    ['/home/janet/shop', '/home/[user]/shop'],
    ['/Users/joe/shop and C:\\Users\\joe\\shop', '/Users/[user]/shop and C:\\Users\\[user]\\shop'],
    ['/data/jane/lake', '/data/[user]/lake'],
    ['Changing view acls to: jane', 'Changing view acls to: [user]'],
    ['janes-laptop and janes-laptop.example', '[host] and [host]'],
  ]

  test.each(planted)('%s', (text, left) => {
    expect(redaction().apply(text)).toBe(left)
  })
})

test('what a maintainer needs stays', () => {
  const lines = [
    '2026-01-01T12:00:00.000Z ERROR thrift: java.lang.OutOfMemoryError: Java heap space',
    '\tat org.apache.kafka.common.Foo$1@1a2b3c4d.run(Foo.java:12) ~[kafka_2.13-3.9.2.jar:?]',
    'Loaded /opt/spark/jars/spark-token-provider-kafka-0-10_2.13-4.1.1.jar',
    'npm_config_user_agent, npm_package_engines_node and xoxo',
    'crawlee@3.18.1 read http://127.0.0.1:8090/produit/3017620422003/nutella?page=2',
    'sha256 77f78984aa84fbe865c717dd37b49913b4e5c97d76ef6824f932f1aefa6621ec',
    'spark.sql.catalog.lake.uri=jdbc:sqlite:/data/lake/catalog.db?journal_mode=WAL&busy_timeout=30000',
    'key = code, 12 products, batch 7 took 450 ms; 192.168.0.1:9092',
  ].join('\n')
  const keeping = redaction()

  expect([keeping.apply(lines), keeping.count]).toEqual([lines, 0])
})

test('removals are counted, and redacting twice is the same as once', () => {
  const once = redaction()
  const text = once.apply('with password=one token=two /home/jane')

  expect([text, once.count]).toEqual(['with password=[removed] token=[removed] ~', 2])
  expect(redaction().apply(text)).toBe(text)
})

test('a very long line is redacted', () => {
  const line = 'a'.repeat(500_000)
  expect(redaction().apply(`${line} password=hunter2 ${line}@`)).toBe(`${line} password=[removed] ${line}@`)
})

test('values of environment variables are secret by their names', () => {
  const environment = { OFFSTREAM_WEB_CONTACT: 'me', AWS_SECRET_ACCESS_KEY: 'abc', PWD: '/shop', API_KEY: '' }
  expect(secretValues(Object.entries(environment))).toEqual(['me', 'abc', ''])
})

test('a common word is not redacted as a user name', () => {
  const { apply } = new Redaction({ home: '/root', user: 'root', host: 'kafka', secrets: ['', 'abc'] })
  expect(apply('kafka of root in /root/shop, /rootfs: abc')).toBe('kafka of root in ~/shop, /rootfs: abc')
})
