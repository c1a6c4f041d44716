#!/usr/bin/env node
import { existsSync } from 'node:fs'

// The repository has what tsc made, an installed package the bundle alone.
const built = new URL('../dist/main.js', import.meta.url)
const bundled = new URL('../dist/bundle/main.js', import.meta.url)
await import(existsSync(built) ? built.href : bundled.href)
