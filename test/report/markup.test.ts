import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { REPORTS } from '../../src/report/index.js';
import { html, written } from '../../src/report/html/markup.js';
import type { ResultDocument } from '../../src/results/index.js';
import { RICH } from './rich.js';

describe('markup', () => {
  it('is only what a template made: an object of a foreign document is text', () => {
    for (const foreign of [{ markup: '<img src=x>' }, { made: true, markup: '<script>' }, null, true, { map: 1 }])
      assert.doesNotMatch(written(html`<p title="${foreign as never}">${foreign as never}</p>`), /<(?:img|script)/);
    assert.equal(written(html`<p>${[html`<b>${'<'}</b>`, 'x']}</p>`), '<p><b>&lt;</b>x</p>');
  });

  it('does not come out of a kept document whose texts are objects', () => {
    const evil = { markup: '<meta http-equiv="refresh" content="0;url=//evil">' };
    const spoilt = JSON.parse(
      JSON.stringify(RICH, (key, value: unknown) => (['reason', 'sentence', 'title', 'text', 'why', 'kernel'].includes(key) ? evil : value)),
    ) as ResultDocument;
    let page = '';
    try {
      page = REPORTS.html.render(spoilt, { color: false, width: 80 });
    } catch (error) {
      // That it cannot be shown is no harm.
      assert.ok(error instanceof TypeError);
    }
    assert.doesNotMatch(page.replace(/<script type="application\/json".*?<\/script>/s, ''), /http-equiv="refresh"/);
  });
});
