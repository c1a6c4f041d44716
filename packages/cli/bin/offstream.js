#!/usr/bin/env node
import { existsSync } from 'node:fs'

// The repository has the output of tsc, an installed package only the bundle.
const built = new URL('../dist/main.js', import.meta.url)
const bundled = new URL('../dist/bundle/main.js', import.meta.url)
await import(existsSync(built) ? built.href : bundled.href)
