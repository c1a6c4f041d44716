import type { CommandEntry } from './command.ts'

/** All commands, in the order in which the help lists them: a new user needs the first ones first. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  demo: {
    summary: 'run the whole pipeline once and show rows of the table',
    load: () => import('./commands/demo.ts'),
  },
  up: {
    summary: 'start ZooKeeper, Kafka, Spark and the Thrift server',
    load: () => import('./commands/up.ts'),
  },
  submit: { summary: 'submit the streaming job: topic → table', load: () => import('./commands/submit.ts') },
  scrape: {
    summary: 'fetch products and publish them to the topic',
    load: () => import('./commands/scrape.ts'),
  },
  status: {
    summary: 'check every service and follow the products step by step',
    load: () => import('./commands/status.ts'),
  },
  wait: {
    summary: 'wait until the stack is healthy, or the products have arrived',
    load: () => import('./commands/wait.ts'),
  },
  query: { summary: 'ask the Thrift server a SQL question', load: () => import('./commands/query.ts') },
  charts: {
    summary: 'draw the charts from the products in the table',
    load: () => import('./commands/charts.ts'),
  },
  logs: { summary: 'show what the services wrote', load: () => import('./commands/logs.ts') },
  topic: {
    summary: 'look into the topic, and publish to it by hand',
    load: () => import('./commands/topic.ts'),
  },
  restart: {
    summary: 'end services and start them again',
    load: () => import('./commands/restart.ts'),
  },
  down: { summary: 'end everything that runs', load: () => import('./commands/down.ts') },
  reset: { summary: 'wipe data: table, topic, or all', load: () => import('./commands/reset.ts') },
  site: { summary: 'serve the stand-in for Open Food Facts', load: () => import('./commands/site.ts') },
  init: {
    summary: 'begin a project of your own: settings, views, charts, Spark programs',
    load: () => import('./commands/init.ts'),
  },
  config: {
    summary: 'show the settings and where they come from',
    load: () => import('./commands/config.ts'),
  },
  doctor: {
    summary: 'check that this machine has all that is needed',
    load: () => import('./commands/doctor.ts'),
  },
  runtime: {
    summary: 'list, fetch, verify and clear Spark, Kafka and the connectors',
    load: () => import('./commands/runtime.ts'),
  },
  report: {
    summary: 'write a report for when something does not work',
    load: () => import('./commands/report.ts'),
  },
  explain: {
    summary: 'explain an error code: cause, exit status and what to do',
    load: () => import('./commands/explain.ts'),
  },
  completion: {
    summary: 'complete commands and options in bash, zsh and fish',
    load: () => import('./commands/completion.ts'),
  },
  daemon: {
    summary: 'own the services (`up` starts it)',
    load: () => import('./commands/daemon.ts'),
    hidden: true,
  },
}
