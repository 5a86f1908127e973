import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { PAGE_BYTES_MAX, REPORTS, renderExperimentHtml } from '../../src/report/index.js';
import type { ResultDocument } from '../../src/results/index.js';
import { Chromium, whyNoChromium } from '../lab/chromium.js';
import type { Message, Page } from '../lab/chromium.js';
import { INTERFACE, whyNoNamespaces } from '../lab/namespaces.js';
import { ROOT } from '../lab/tautline.js';
import { CHECK, HOSTILE, MEASURE } from '../report/documents.js';
import { DOCKER, SSH, TRACE } from '../report/layer-documents.js';
import { RICH } from '../report/rich.js';
import { EXPERIMENT, HOSTILE_OUTCOMES } from '../report/tune-outcomes.js';
import { withServedPath } from './keyed-serve.js';

const skip = (await whyNoChromium()) ?? false;
const skipPath = (await whyNoNamespaces()) ?? false;

/** What a person still calls at once. */
const OPEN_MS_MAX = 1000;
const THEMES = ['light', 'dark'] as const;

interface Opened {
  readonly page: Page;
  /** What a person who opens the console would see as an error. */
  readonly errors: string[];
  readonly requests: string[];
}

describe('the page in a real browser', { skip }, () => {
  let browser: Chromium;
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tautline-html-'));
    browser = await Chromium.start();
  });
  after(async () => {
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  });

  const DOCUMENTS: Readonly<Record<string, ResultDocument>> = {
    'a rich check': RICH,
    'a check': CHECK,
    'one probe': MEASURE,
    'hostile text': HOSTILE,
    'hops that part': TRACE,
    'containers and networks': DOCKER,
    'an SSH server': SSH,
  };
  for (const [name, document] of Object.entries(DOCUMENTS)) {
    test(`of ${name} is sound in every way that a browser can tell`, async () => {
      const path = join(folder, `${name.replace(/ /g, '-')}.html`);
      await writeFile(path, REPORTS.html.render(document, { color: false, width: 80 }));
      await sound(await opened(browser, path));
    });
  }

  const experiments = [EXPERIMENT, ...HOSTILE_OUTCOMES.flatMap((each) => (each.schema === 'tautline.experiment/1' ? [each] : []))];
  for (const [i, document] of experiments.entries()) {
    test(`of ${i === 0 ? 'an experiment' : 'an experiment with hostile text'} is sound in every way that a browser can tell`, async () => {
      const path = join(folder, `experiment-${i}.html`);
      await writeFile(path, renderExperimentHtml(document));
      await sound(await opened(browser, path));
    });
  }

  // What these checks are worth: each finds the defect that it is for.
  const DEFECTS: Readonly<Record<string, (page: string) => string>> = {
    'a request': (page) =>
      page
        .replace('<main', '<img src="http://127.0.0.1:9/x.png" alt="x"><main')
        .replace('default-src &#39;none&#39;', 'default-src &#39;none&#39;; img-src *'),
    'a style that the policy forbids': (page) => page.replace('<main', '<main style="color: red"'),
    'something too wide': (page) => page.replace('<main', '<table width="900"><tr><td>x</td></tr></table><main'),
    'something that Tab does not reach': (page) => page.replace('<main', '<div inert><button>x</button></div><main'),
    'a picture without words': (page) => page.replace('<main', '<svg role="img" width="9" height="9"></svg><main'),
    'a script that throws': (page) => page.replace('</body>', '<script>throw new Error("x")</script></body>'),
  };
  for (const [name, spoil] of Object.entries(DEFECTS)) {
    test(`is not sound with ${name}`, async () => {
      const path = join(folder, `${name.replace(/ /g, '-')}.html`);
      const page = REPORTS.html.render(MEASURE, { color: false, width: 80 });
      assert.notEqual(spoil(page), page);
      await writeFile(path, spoil(page));
      await assert.rejects(async () => sound(await opened(browser, path)), assert.AssertionError);
    });
  }

  test('of a thorough check of a shaped path, written by the command line', { skip: skipPath }, async () => {
    const path = join(folder, 'report.html');
    const { code } = await withServedPath(async ({ near, far, check }) => {
      for (const end of [near, far]) await end.sh(`tc qdisc add dev ${INTERFACE} root tbf rate 50mbit burst 64k latency 60ms`);
      return check('--thorough', '--html', path);
    });
    // 50 Mbit/s may well be called poor; measured it is.
    assert.ok([0, 1, 4].includes(code ?? -1), `ended with ${code}`);
    const html = await readFile(path, 'utf8');
    assert.ok(Buffer.byteLength(html) < PAGE_BYTES_MAX, `${Buffer.byteLength(html)} bytes`);
    for (const id of ['paths', 'latency', 'load', 'figures']) assert.ok(html.includes(`id="${id}"`), `no section ${id}`);
    await sound(await opened(browser, path));
  });
});

async function opened(browser: Chromium, path: string): Promise<Opened> {
  const errors: string[] = [];
  const requests: string[] = [];
  const page = await browser.open(({ method, params }: Message) => {
    if (method === 'Runtime.exceptionThrown') errors.push(JSON.stringify(params));
    if (method === 'Runtime.consoleAPICalled' && ['error', 'warning', 'assert'].includes(String(params?.['type'])))
      errors.push(JSON.stringify(params));
    if (method === 'Log.entryAdded' && ['error', 'warning'].includes((params as { entry: { level: string } }).entry.level))
      errors.push(JSON.stringify(params));
    if (method === 'Network.requestWillBeSent') requests.push((params as { request: { url: string } }).request.url);
  });
  await page.view({ width: 1280 });
  await page.go(`file://${path}`);
  return { page, errors, requests };
}

async function sound({ page, errors, requests }: Opened): Promise<void> {
  await opensAtOnce(page);
  await reachableByKeyboard(page);
  await fitsEveryWidth(page);
  await page.value('document.querySelectorAll("details").forEach((each) => (each.open = true))');
  await fitsEveryWidth(page);
  await passesAxe(page);
  await prints(page);
  assert.deepEqual(errors, []);
  assert.deepEqual(
    requests.filter((url) => !url.startsWith('file://')),
    [],
  );
  assert.equal(new Set(requests).size, 1, 'it loads itself and nothing else');
}

/** The middle of three: the first load also warms the browser up. */
async function opensAtOnce(page: Page): Promise<void> {
  const took: number[] = [];
  for (let i = 0; i < 3; i++) {
    const url = await page.value<string>('location.href');
    await page.go(url);
    took.push(await page.value<number>('performance.getEntriesByType("navigation")[0].loadEventStart'));
  }
  took.sort((a, b) => a - b);
  assert.ok((took[1] ?? Number.NaN) < OPEN_MS_MAX, `it took ${took.join(', ')} ms`);
}

/** Everything that can be operated gets the focus by Tab, in the order of the page, visibly; Enter opens what is folded. */
async function reachableByKeyboard(page: Page): Promise<void> {
  const expected = await page.value<string[]>(`(() => {
    window.nameOf = (each) => each.tagName + ' ' + [...document.querySelectorAll('*')].indexOf(each);
    return [...document.querySelectorAll('a[href], button, summary, [tabindex="0"]')].filter((each) => each.checkVisibility()).map(nameOf);
  })()`);
  assert.ok(expected.length > 3);
  const reached: string[] = [];
  for (let i = 0; i < expected.length; i++) {
    await page.press('Tab');
    reached.push(await page.value<string>('nameOf(document.activeElement)'));
    const outline = await page.value<string>('getComputedStyle(document.activeElement).outlineStyle');
    assert.equal(outline, 'solid', `the focus on ${reached.at(-1)} cannot be seen`);
  }
  assert.deepEqual(reached, expected);
  const folded = await page.value<boolean>('(() => { const first = document.querySelector("summary"); first?.focus(); return first !== null; })()');
  if (!folded) return;
  await page.press('Enter');
  assert.equal(await page.value<boolean>('document.querySelector("details").open'), true);
}

async function fitsEveryWidth(page: Page): Promise<void> {
  for (const width of [360, 768, 1280]) {
    await page.view({ width });
    const wide = await page.value<number>('document.documentElement.scrollWidth');
    assert.ok(wide <= width, `${wide} px at ${width} px`);
  }
}

async function passesAxe(page: Page): Promise<void> {
  await page.value(`${await readFile(join(ROOT, 'node_modules', 'axe-core', 'axe.min.js'), 'utf8')}; true`);
  for (const scheme of THEMES) {
    for (const width of [1280, 360]) {
      await page.view({ width, scheme });
      const violations = await page.value<unknown[]>(
        'axe.run({ resultTypes: ["violations"] }).then(({ violations }) => violations.map(({ id, nodes }) => [id, ...nodes.slice(0, 3).map(({ html, failureSummary }) => html.slice(0, 200) + failureSummary)]))',
      );
      assert.deepEqual(violations, [], `${scheme}, ${width} px`);
    }
  }
}

async function prints(page: Page): Promise<void> {
  const pdf = await page.pdf();
  assert.equal(pdf.subarray(0, 5).toString('latin1'), '%PDF-');
  assert.ok(pdf.length > 10_000);
  await page.view({ width: 800, media: 'print', scheme: 'dark' });
  // Whatever the theme, paper is white.
  assert.equal(await page.value<string>('getComputedStyle(document.body).backgroundColor'), 'rgb(255, 255, 255)');
  await page.view({ width: 1280 });
}
