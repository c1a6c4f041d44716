const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text as the content of an element or the value of an attribute, in XML and in HTML. */
export const escapeXml = (text: string): string => text.replace(/[&<>"']/g, one => entities[one] ?? one)
