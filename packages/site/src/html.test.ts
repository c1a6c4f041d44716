import { expect, test } from 'vitest'
import { html, script } from './html.ts'

const hostile = `</script><img src=x onerror="alert('1')">&amp;\u2028`

test('text is escaped, markup is not, lists are joined, null is omitted', () => {
  const items = ['<a>', null, undefined, 0].map(each => html`<li>${each}</li>`)
  expect(html`<ul title="${hostile}">${items}</ul>`.text).toBe(
    '<ul title="&lt;/script&gt;&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;amp;\u2028"><li>&lt;a&gt;</li><li></li><li></li><li>0</li></ul>',
  )
})

test('a value in a script keeps its value and cannot close the script', () => {
  const written = script({ name: hostile }).text
  expect(written).not.toMatch(/[<>&\u2028]/)
  expect(JSON.parse(written)).toEqual({ name: hostile })
})
