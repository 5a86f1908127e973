import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { STYLE } from '../../src/report/html/style.js';

describe('the colours of the page', () => {
  const themes = [...STYLE.matchAll(/:root \{([^}]*)\}/g)].map(([, body]) =>
    Object.fromEntries([...(body ?? '').matchAll(/--([\w-]+): (#[0-9a-f]{6,8})/g)].map(([, name, value]) => [name, value])),
  );
  const names = ['light', 'dark', 'print'];

  it('are declared for light, dark and print', () => assert.equal(themes.length, 3));

  for (const [i, theme] of themes.entries()) {
    it(`have the contrast of WCAG AA in ${names[i]}: 4.5 for text, 3 for what must be seen`, () => {
      for (const under of ['page', 'card']) {
        for (const ink of ['ink', 'quiet', 'accent', 'good', 'fair', 'poor']) least(4.5, theme, ink, under);
        least(3, theme, 'grey', under);
      }
      least(4.5, theme, 'ink', 'shade');
    });
  }
});

function least(ratio: number, theme: Record<string, string | undefined>, ink: string, under: string): void {
  const [a, b] = [luminance(theme[ink] ?? ''), luminance(theme[under] ?? '')].sort((x, y) => y - x) as [number, number];
  const found = (a + 0.05) / (b + 0.05);
  assert.ok(found >= ratio, `${ink} on ${under}: ${found.toFixed(2)}`);
}

/** Relative luminance, WCAG 2.2. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
