import { inCode } from './inCode.tsx'

/** The title of a view; it gets the focus when the view opens. */
export const Heading = ({ title, intro }: { readonly title: string; readonly intro?: string }) => (
  <div class="heading">
    <h1 tabIndex={-1}>{title}</h1>
    {intro !== undefined && <p class="muted">{inCode(intro)}</p>}
  </div>
)
