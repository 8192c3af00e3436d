import axe, { type AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { lowContrast } from './contrast.js';

/** Levels A and AA of WCAG 2.0 to 2.2, and what axe-core's makers advise beside them. */
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/**
 * Returns what of the page somebody could not see, reach or hear: what axe-core finds against WCAG 2.2 AA, as `rule: element`, and text
 * whose contrast is too low by our own measure, which looks at translucent grounds too.
 */
export async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<AxeResults, string[]>(
    (values) =>
      (window as unknown as { axe: typeof axe }).axe.run(document, {
        runOnly: { type: 'tag', values },
        resultTypes: ['violations'],
      }),
    TAGS,
  );
  const found = violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
  return [...found, ...(await page.evaluate(lowContrast))];
}

/** Returns what reaches beyond the right edge of a page that can be scrolled sideways. */
export function tooWide(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    if (document.documentElement.scrollWidth <= innerWidth) return [];
    const beyond = [...document.querySelectorAll('body *')].filter(
      (one) => one.getBoundingClientRect().right > innerWidth,
    );
    return beyond.map((one) => `${one.tagName} ${one.className}`);
  });
}
