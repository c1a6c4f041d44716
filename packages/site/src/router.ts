import { apiRoutes } from './apiRoutes.ts'
import { exportRoutes } from './exports/exportRoutes.ts'
import type { LimitedKind } from './limits.ts'
import { pageRoutes } from './pageRoutes.ts'
import { noSuchPage } from './pages/errors.ts'
import { page, type SiteResponse } from './response.ts'
import type { SiteRequest } from './route.ts'

/** The first route whose path matches and that returns a response is used. */
const routes = [...pageRoutes, ...apiRoutes, ...exportRoutes]

/** Responds to a request without a fault. */
export const respondTo = async (request: SiteRequest): Promise<SiteResponse> => {
  for (const { path, answer } of routes) {
    const found = path.exec(request.url.pathname)
    const response = found === null ? null : await answer(request, found.groups ?? {})
    if (response !== null) return response
  }
  return page(noSuchPage(request.view), 404)
}

/** The rate limit that a path counts against on the real site. */
export const countedAs = (path: string): LimitedKind | null =>
  routes.find(route => route.path.test(path))?.counts ?? null
