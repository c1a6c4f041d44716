import { type Answer, page } from './answer.ts'
import { apiRoutes } from './api.ts'
import { exportRoutes } from './exports/routes.ts'
import type { LimitedKind } from './limits.ts'
import { pageRoutes } from './pageRoutes.ts'
import { noSuchPage } from './pages/errors.ts'
import type { SiteRequest } from './route.ts'

/** Of several routes whose path fits, the first that knows an answer gives it. */
const routes = [...pageRoutes, ...apiRoutes, ...exportRoutes]

/** The site's honest answer to a request. */
export const answerPage = async (request: SiteRequest): Promise<Answer> => {
  for (const { path, answer } of routes) {
    const found = path.exec(request.url.pathname)
    const given = found === null ? null : await answer(request, found.groups ?? {})
    if (given !== null) return given
  }
  return page(noSuchPage(request.view), 404)
}

/** What a path is counted as, if the real site limits how often it is asked for. */
export const countedAs = (path: string): LimitedKind | null =>
  routes.find(route => route.path.test(path))?.counts ?? null
