import axe from 'axe-core';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';

/** Tags of the WCAG 2.2 success criteria, levels A and AA. */
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/**
 * Returns the findings of axe-core on a page. The library is evaluated, because the content security policy forbids
 * adding a script.
 */
export async function findBarriers(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<AxeResults>(
    `axe.run(document, { runOnly: { type: 'tag', values: ${JSON.stringify(TAGS)} }, resultTypes: ['violations'] })`,
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary?.slice(0, 400)}`),
  );
}

/** Returns how many pixels wider than its window a page is. */
export const overflowOf = (page: Page): Promise<number> =>
  page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');

const CONTROLS = 'a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), summary, [tabindex="0"]';

/** More controls than any page here has, so that a walk that goes in circles stops. */
const MOST_CONTROLS = 500;

export interface TabOrder {
  /** Visible controls that were not reached, as markup. */
  readonly missed: string[];
  /** Controls whose focus is not visible, because there is no outline or something covers the control. */
  readonly unseen: string[];
}

/** Maximum number of walks. A list that loads more entries while scrolling grows by a page in each walk. */
const MOST_WALKS = 10;

/**
 * Presses Tab through the whole page, repeatedly if new controls appear, and checks each control that receives the
 * focus.
 */
export async function walkByTab(page: Page): Promise<TabOrder> {
  const unseen = new Set<string>();
  let missed: string[] = [];
  for (let walk = 0; walk < MOST_WALKS; walk++) {
    await walkOnce(page, walk, unseen);
    missed = await findUnreached(page);
    if (missed.length === 0) break;
  }
  return { missed, unseen: [...unseen] };
}

async function walkOnce(page: Page, walk: number, unseen: Set<string>): Promise<void> {
  await page.evaluate('document.activeElement?.blur(); scrollTo(0, 0)');
  for (let step = 0; step < MOST_CONTROLS; step++) {
    await page.keyboard.press('Tab');
    const fault = await page.evaluate<string | null>(`(() => {
      const focused = document.activeElement;
      if (!focused || focused === document.body || focused.dataset.reached === '${walk}') return '';
      focused.dataset.reached = '${walk}';
      const { outlineStyle, outlineWidth } = getComputedStyle(focused);
      const box = focused.getBoundingClientRect();
      const at = [box.left + Math.min(box.width / 2, 8), box.top + Math.min(box.height / 2, 8)];
      const top = document.elementFromPoint(...at);
      const isSeen = top !== null && (focused.contains(top) || top.contains(focused));
      return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 && isSeen ? null : focused.outerHTML.slice(0, 200);
    })()`);
    if (fault === '') break;
    if (fault !== null) unseen.add(fault);
  }
}

/**
 * Returns the visible controls that never had the focus, except for radio buttons, because Tab reaches only one of a
 * group.
 */
const findUnreached = (page: Page): Promise<string[]> =>
  page.evaluate<string[]>(`[...document.querySelectorAll(${JSON.stringify(CONTROLS)})]
    .filter((each) => each.checkVisibility({ contentVisibilityAuto: false, visibilityProperty: true }))
    .filter((each) => each.type !== 'radio' && !('reached' in each.dataset))
    .map((each) => each.outerHTML.slice(0, 200))`);
