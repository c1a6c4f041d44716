import { expect, test } from 'vitest'
import {
  daemonEnvironment,
  downloadEnvironment,
  ignoredVariables,
  javaEnvironment,
  javaNetworkOptions,
  programEnvironment,
  sparkEnvironment,
} from './environment.ts'

const runtimes = {
  java: '/java/17/bin/java',
  python: '/cache/spark/bin/python',
  sparkHome: '/cache/spark/pyspark',
  connectors: '/cache/connectors',
}
const shell = { PATH: '/usr/local/bin:.:node_modules/.bin', HOME: '/home/me', USER: 'me', TZ: 'Europe/Paris' }

/** What breaks Spark, Kafka, pip or Ivy if they inherit it. */
const breaking: Readonly<Record<string, string>> = {
  JAVA_HOME: '/nonexistent',
  JAVA_TOOL_OPTIONS: '-Xmx1k',
  JDK_JAVA_OPTIONS: '-Xmx1k',
  _JAVA_OPTIONS: '-Xmx1k',
  CLASSPATH: '/other/jars',
  PYSPARK_PYTHON: '/nonexistent/python',
  PYSPARK_DRIVER_PYTHON: 'jupyter',
  PYSPARK_DRIVER_PYTHON_OPTS: 'notebook',
  HADOOP_CONF_DIR: '/opt/hadoop/etc/hadoop',
  YARN_CONF_DIR: '/opt/hadoop/etc/hadoop',
  SPARK_CONF_DIR: '/opt/spark/conf',
  SPARK_MASTER_HOST: 'other.example',
  SPARK_LOCAL_IP: '10.0.0.1',
  SPARK_WORKER_CORES: '64',
  SPARK_DAEMON_JAVA_OPTS: '-Xmx1k',
  SPARK_SUBMIT_OPTS: '-Xmx1k',
  SPARK_REMOTE: 'sc://other.example',
  KAFKA_OPTS: '-javaagent:/nonexistent.jar',
  KAFKA_HEAP_OPTS: '-Xmx1k',
  PYTHONPATH: '/other/python',
  PYTHONHOME: '/nonexistent',
  PYTHONSTARTUP: '/nonexistent.py',
  PIP_USER: '1',
  PIP_TARGET: '/other/packages',
  PIP_REQUIRE_VIRTUALENV: '1',
  LD_PRELOAD: '/nonexistent.so',
  LD_LIBRARY_PATH: '/other/lib',
  BASH_ENV: '/nonexistent.sh',
  NODE_OPTIONS: '--require /nonexistent.js',
}

/** SQL users could read these by `reflect('java.lang.System', 'getenv', …)`. */
const secret: Readonly<Record<string, string>> = {
  HADOOP_CREDSTORE_PASSWORD: 'canary',
  SPARK_AUTH_SECRET: 'canary',
  _SPARK_AUTH_SECRET: 'canary',
  AWS_ACCESS_KEY_ID: 'canary',
  AWS_SECRET_ACCESS_KEY: 'canary',
  GITHUB_TOKEN: 'canary',
  OFFSTREAM_TOPIC_PASSWORD: 'canary',
  // A name that `kafka.sasl.passwordVariable` may have.
  OFFSTREAM_PROD_SECRET: 'canary',
  HTTPS_PROXY: 'http://me:canary@proxy.example:3128',
}

test('a Spark service gets what offstream sets and four variables of the shell', () => {
  const options = { runtimes, host: '127.0.0.1', temporary: '/project/.offstream/tmp' }
  expect(sparkEnvironment(options, { ...shell, ...breaking, ...secret, LC_ALL: 'de_DE' })).toEqual({
    ...{ HOME: '/home/me', USER: 'me', TZ: 'Europe/Paris', LC_ALL: 'C.UTF-8' },
    PATH: '/usr/local/bin:/usr/bin:/bin',
    JAVA_HOME: '/java/17',
    SPARK_HOME: '/cache/spark/pyspark',
    SPARK_CONF_DIR: '/cache/connectors/no-conf',
    SPARK_LOCAL_IP: '127.0.0.1',
    SPARK_LOCAL_DIRS: '/project/.offstream/tmp',
    TMPDIR: '/project/.offstream/tmp',
    PYSPARK_PYTHON: '/cache/spark/bin/python',
    PYSPARK_DRIVER_PYTHON: '/cache/spark/bin/python',
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONUNBUFFERED: '1',
  })
})

test.each(Object.entries({ ...breaking, ...secret }))('%s reaches no service', (name, value) => {
  const [clean, dirty] = [shell, { ...shell, [name]: value }]
  const options = { runtimes, host: '127.0.0.1', temporary: '/tmp' }
  expect(sparkEnvironment(options, dirty)).toEqual(sparkEnvironment(options, clean))
  expect(javaEnvironment('/tmp', dirty)).toEqual(javaEnvironment('/tmp', clean))
  expect(programEnvironment(dirty)).toEqual(programEnvironment(clean))
})

test('the daemon gets the settings of offstream, no secret, and nothing that changes what Node runs', () => {
  const settings = { OFFSTREAM_KAFKA_PORT: '9093', TMPDIR: '/scratch' }
  expect(daemonEnvironment({ ...shell, ...breaking, ...secret, ...settings })).toEqual({
    ...programEnvironment(shell),
    ...settings,
  })
})

test.each(Object.entries(breaking))('%s does not change a download', (name, value) => {
  expect(downloadEnvironment({ ...shell, [name]: value })).toEqual(downloadEnvironment(shell))
})

test('downloads go through the proxy, mirror and certificates of the company', () => {
  const company = {
    https_proxy: 'http://proxy.example:3128',
    NO_PROXY: 'localhost',
    SSL_CERT_FILE: '/etc/company.pem',
    PIP_INDEX_URL: 'https://pypi.company.example/simple',
    PIP_CONFIG_FILE: '/home/me/pip.conf',
  }
  expect(downloadEnvironment({ ...shell, ...company })).toEqual({
    ...programEnvironment(shell),
    ...company,
    PIP_USER: '0',
    PIP_REQUIRE_VIRTUALENV: '0',
  })
})

test('Java gets the proxy as options, with its password', () => {
  expect(javaNetworkOptions({ HTTPS_PROXY: 'http://me:p%40ss@proxy.example:3128' })).toEqual([
    '-Dhttps.proxyHost=proxy.example',
    '-Dhttps.proxyPort=3128',
    '-Dhttp.proxyUser=me',
    '-Dhttp.proxyPassword=p@ss',
    '-Djdk.http.auth.tunneling.disabledSchemes=',
  ])
  expect(
    javaNetworkOptions({ http_proxy: 'proxy.example', no_proxy: 'localhost, .company.example' }),
  ).toEqual([
    '-Dhttp.proxyHost=proxy.example',
    '-Dhttp.proxyPort=80',
    '-Dhttp.nonProxyHosts=localhost|*.company.example',
  ])
})

test('downloads use the network options from the variables for all Java programs', () => {
  const trust = '-Djavax.net.ssl.trustStore=/etc/company store.jks'
  expect(
    javaNetworkOptions({
      JAVA_TOOL_OPTIONS: `-Xmx1k "${trust}" -javaagent:/nonexistent.jar`,
      _JAVA_OPTIONS: '-Dhttps.proxyHost=proxy.example -Duser.home=/nonexistent',
    }),
  ).toEqual([trust, '-Dhttps.proxyHost=proxy.example'])
})

test('ignored variables are named, variables in use are not', () => {
  const used = {
    JAVA_HOME: '/java',
    SPARK_HOME: '/spark',
    PYSPARK_PYTHON: '/python',
    PIP_INDEX_URL: 'https://x',
  }
  expect(
    ignoredVariables({ ...shell, ...used, SPARK_CONF_DIR: '/conf', HADOOP_CONF_DIR: '/hadoop' }),
  ).toEqual([
    ['HADOOP_CONF_DIR', '/hadoop'],
    ['SPARK_CONF_DIR', '/conf'],
  ])
  expect(ignoredVariables({ PYSPARK_PYTHON: '/python' })).toEqual([['PYSPARK_PYTHON', '/python']])
})
