import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Context, Hono } from 'hono'

const types: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
  'icon.svg': 'image/svg+xml',
}

/** The addresses of the views; the page itself shows the right one. */
const views = ['/', '/services', '/topic', '/stream', '/table', '/products', '/products/:code', '/charts']

interface PageFile {
  readonly body: string
  readonly type: string
  readonly tag: string
}

/** Serves the files of the page, which are in memory: an update of offstream must not mix two versions. */
export const servePage = async (app: Hono, folder: string): Promise<void> => {
  const files = new Map<string, PageFile>()
  for (const [name, type] of Object.entries(types)) {
    const body = await readFile(join(folder, name), 'utf8')
    files.set(name, { body, type, tag: `"${createHash('sha256').update(body).digest('base64url')}"` })
  }
  const respond = (context: Context, name: string) => {
    const file = files.get(name)
    if (file === undefined) return context.notFound()
    // The browser may keep a file, but must check that it is still the same.
    context.header('Cache-Control', 'no-cache')
    context.header('ETag', file.tag)
    if (context.req.header('if-none-match') === file.tag) return context.body(null, 304)
    context.header('Content-Type', file.type)
    return context.body(file.body)
  }
  for (const view of views) app.get(view, context => respond(context, 'index.html'))
  for (const name of Object.keys(types).filter(name => name !== 'index.html'))
    app.get(`/${name}`, context => respond(context, name))
}
