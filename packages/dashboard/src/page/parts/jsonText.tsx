/** A text in a box that scrolls. */
export const JsonText = ({ text }: { readonly text: string }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: without the focus the keyboard could not scroll it
  <pre tabIndex={0}>{text}</pre>
)
