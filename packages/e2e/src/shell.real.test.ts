import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { scratchStack } from './stack.ts'

const secret = 'canary-5f3a'

/** What users have in their shells, with values that stop the program that reads them; and secrets. */
const hostileShell = async (folder: string): Promise<Readonly<Record<string, string>>> => {
  const files = {
    'spark-defaults.conf': 'spark.master yarn\n',
    'spark-env.sh': 'exit 1\n',
    'core-site.xml':
      '<configuration><property><name>fs.defaultFS</name><value>hdfs://course.invalid:8020</value></property></configuration>\n',
    'python/sitecustomize.py': 'raise SystemExit(1)\n',
    'onlyCommands.cjs': `if (process.argv.includes('daemon')) process.exit(1)\n`,
  }
  await mkdir(join(folder, 'python'), { recursive: true })
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return {
    ...{ JAVA_HOME: '/nonexistent', CLASSPATH: '/nonexistent.jar' },
    ...{ JAVA_TOOL_OPTIONS: '-Xmx1k', JDK_JAVA_OPTIONS: '-Xmx1k', _JAVA_OPTIONS: '-Xmx1k' },
    ...{ PYSPARK_PYTHON: '/nonexistent', PYSPARK_DRIVER_PYTHON: 'jupyter' },
    ...{ PYTHONHOME: '/nonexistent', PYTHONPATH: join(folder, 'python'), PYTHONSTARTUP: '/nonexistent.py' },
    ...{ HADOOP_CONF_DIR: folder, YARN_CONF_DIR: folder, SPARK_CONF_DIR: folder },
    ...{
      SPARK_MASTER_HOST: 'course.invalid',
      SPARK_LOCAL_IP: '192.0.2.1',
      SPARK_REMOTE: 'sc://course.invalid',
    },
    ...{ SPARK_WORKER_OPTS: '-Xmx1k', SPARK_DAEMON_JAVA_OPTS: '-Xmx1k', SPARK_SUBMIT_OPTS: '-Xmx1k' },
    ...{ KAFKA_OPTS: '-javaagent:/nonexistent.jar', KAFKA_HEAP_OPTS: '-Xmx1k' },
    ...{ PIP_USER: '1', PIP_TARGET: '/nonexistent', PIP_REQUIRE_VIRTUALENV: '1' },
    ...{ LD_PRELOAD: '/nonexistent.so', BASH_ENV: join(folder, 'spark-env.sh') },
    NODE_OPTIONS: `--require "${join(folder, 'onlyCommands.cjs')}"`,
    ...{ HADOOP_CREDSTORE_PASSWORD: secret, SPARK_AUTH_SECRET: secret, AWS_SECRET_ACCESS_KEY: secret },
    ...{ GITHUB_TOKEN: secret, OFFSTREAM_TOPIC_PASSWORD: secret, MYSQL_PASSWORD: secret },
  }
}

/** The lines of `/proc` in which a process of the stack shows the secret. */
const processesWithSecret = async (processes: readonly string[]): Promise<readonly string[]> => {
  const environments = await Promise.all(
    processes.map(async line =>
      readFile(`/proc/${Number.parseInt(line, 10)}/environ`, 'utf8').catch(() => ''),
    ),
  )
  return processes.filter((_, index) => environments[index]?.includes(secret))
}

test('whatever the shell sets, the stack starts and runs the job, and SQL reads no secret of it', async () => {
  await using stack = await scratchStack()
  const env = await hostileShell(join(stack.directory, 'hostile'))
  for (const command of [['up'], ['submit'], ['wait', '--for', 'healthy']]) {
    const { exitCode, shown } = await stack.run(command, { env })
    expect(exitCode, shown).toBe(0)
  }

  const answers = await Promise.all(
    [`SELECT java_method('java.lang.System', 'getenv') AS environment`, 'SET'].map(statement =>
      stack.run(['query', statement, '--format', 'csv'], { env }),
    ),
  )
  expect(answers.map(({ exitCode }) => exitCode)).toEqual([0, 0])
  expect(answers[0]?.stdout).toContain('SPARK_HOME=')
  expect(answers.filter(({ stdout }) => stdout.includes(secret))).toEqual([])
  expect(await processesWithSecret(await stack.processes())).toEqual([])
})
