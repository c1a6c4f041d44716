import { render } from 'preact'
import { followLanguage } from './language.ts'
import { followLive } from './live.ts'
import { Shell } from './shell.tsx'

followLanguage()
followLive()
const root = document.getElementById('root')
if (root !== null) render(<Shell />, root)
