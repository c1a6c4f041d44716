import type { CommandEntry } from './command.ts'

/** All commands, in the order in which the help lists them: a new user needs the first ones first. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  demo: {
    summary: 'run the whole pipeline once, on the stand-in site',
    load: () => import('./commands/demo.ts'),
  },
  up: {
    summary: 'start ZooKeeper, Kafka, Spark and the Thrift server',
    load: () => import('./commands/up.ts'),
  },
  submit: {
    summary: 'start the streaming job: topic → table; or your own program',
    load: () => import('./commands/submit.ts'),
  },
  jobs: {
    summary: 'list, start, stop and remove your own jobs',
    load: () => import('./commands/jobs.ts'),
  },
  scrape: {
    summary: 'fetch products and publish them to the topic',
    load: () => import('./commands/scrape.ts'),
  },
  status: {
    summary: 'check every service, and count the products at each step',
    load: () => import('./commands/status.ts'),
  },
  wait: {
    summary: 'wait until the stack is healthy, or until the products have arrived',
    load: () => import('./commands/wait.ts'),
  },
  query: { summary: 'run a SQL statement on the table', load: () => import('./commands/query.ts') },
  sql: {
    summary: 'open an interactive SQL shell',
    load: () => import('./commands/sql.ts'),
  },
  pyspark: {
    summary: 'open the shell of PySpark on the cluster',
    load: () => import('./commands/pyspark.ts'),
  },
  table: {
    summary: 'show the size and the history of the table, roll it back, or optimize it',
    load: () => import('./commands/table.ts'),
  },
  lake: {
    summary: 'move the tables to another catalog or object store',
    load: () => import('./commands/lake.ts'),
  },
  charts: {
    summary: 'draw the charts from the table',
    load: () => import('./commands/charts.ts'),
  },
  dashboard: {
    summary: 'show the pipeline in the browser, live',
    load: () => import('./commands/dashboard.ts'),
  },
  tableau: {
    summary: 'write a Tableau workbook or data source, for this stack or another server',
    load: () => import('./commands/tableau.ts'),
  },
  connect: {
    summary: 'show how to connect other tools to the table',
    load: () => import('./commands/connect.ts'),
  },
  env: {
    summary: 'print the addresses of the stack for notebooks and other programs',
    load: () => import('./commands/env.ts'),
  },
  logs: { summary: 'show the logs of the services', load: () => import('./commands/logs.ts') },
  topic: {
    summary: 'inspect the topic, and publish to it by hand',
    load: () => import('./commands/topic.ts'),
  },
  restart: {
    summary: 'restart services',
    load: () => import('./commands/restart.ts'),
  },
  down: { summary: 'stop everything; the data stays', load: () => import('./commands/down.ts') },
  reset: { summary: 'delete data: table, topic, or all', load: () => import('./commands/reset.ts') },
  repair: {
    summary: 'rebuild the checkpoint of the stream from the table',
    load: () => import('./commands/repair.ts'),
  },
  site: { summary: 'serve the stand-in for Open Food Facts', load: () => import('./commands/site.ts') },
  init: {
    summary: 'create a project: settings, views, charts, Spark programs',
    load: () => import('./commands/init.ts'),
  },
  config: {
    summary: 'show the settings and where each comes from',
    load: () => import('./commands/config.ts'),
  },
  doctor: {
    summary: 'check that this machine has everything that offstream needs',
    load: () => import('./commands/doctor.ts'),
  },
  runtime: {
    summary: 'list, download, verify and remove Spark, Kafka and the connectors',
    load: () => import('./commands/runtime.ts'),
  },
  report: {
    summary: 'write a diagnostic report for an issue, without secrets',
    load: () => import('./commands/report.ts'),
  },
  explain: {
    summary: 'explain an error code: its cause, its exit status, what to do',
    load: () => import('./commands/explain.ts'),
  },
  completion: {
    summary: 'print a completion script for bash, zsh or fish',
    load: () => import('./commands/completion.ts'),
  },
  daemon: {
    summary: 'supervise the services (started by `up`)',
    load: () => import('./commands/daemon.ts'),
    hidden: true,
  },
}
