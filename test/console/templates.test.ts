import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { renderPage } from '../../src/console/view.ts'

const folder = fileURLToPath(new URL('../../src/console/templates/', import.meta.url))
const texts = globSync('*.eta', { cwd: folder }).map((name) => ({ name, text: readFileSync(folder + name, 'utf8') }))

test('no template writes anything unescaped but another template', () => {
  assert.ok(texts.length >= 10)
  for (const { name, text } of texts) {
    for (const [raw] of text.matchAll(/<%[-_]?\s*~[^%]*%>/g)) {
      assert.match(raw, /^<%~ (it\.body|include\('\.\/[a-z-]+', it\)) %>$/, name)
    }
  }
})

test('no template has a script, a style or a handler in it, or a value outside of quotes', () => {
  for (const { name, text } of texts) {
    assert.doesNotMatch(text, /<style|\sstyle=|\son[a-z]+=|javascript:|<script(?! src="<%= it\.asset)/i, name)
    assert.doesNotMatch(text, /=<%=/, name)
  }
})

test('what a page says is escaped, in texts and in attributes', () => {
  const message = `<img src=x onerror="alert(1)"> ' & `
  const page = { title: message, template: 'problem', notice: message, content: { message, requestId: message } }
  const html = renderPage(page, { base: '/console', operator: undefined, formToken: '' })
  assert.doesNotMatch(html, /<img/)
  assert.match(html, /&lt;img src=x onerror=&quot;alert\(1\)&quot;&gt; &#39; &amp;/)
})

test('a form that goes to the bridge carries the token of its session', () => {
  let forms = 0
  for (const { name, text } of texts) {
    for (const [form] of text.matchAll(/<form method="post"[\s\S]*?<\/form>/g)) {
      if (name === 'sign-in.eta') continue
      forms += 1
      assert.match(form, /<input type="hidden" name="form" value="<%= it\.formToken %>">/, name)
    }
  }
  assert.equal(forms, 5)
})
