/** One step of a pattern with wildcards. */
export interface PatternStep<Item> {
  /** Whether the step matches a run of any number of items, all of which it accepts, instead of exactly one item. */
  readonly isRun: boolean;
  accepts(item: Item): boolean;
}

/**
 * Reports whether the steps match all of the items. Takes at most items × steps comparisons, because only the last run
 * is ever retried.
 */
export function matchSteps<Item>(steps: readonly PatternStep<Item>[], items: readonly Item[]): boolean {
  let step = 0;
  let run: PatternStep<Item> | undefined;
  let stepAfterRun = 0;
  let endOfRun = 0;
  for (let at = 0; at < items.length;) {
    const current = steps[step];
    if (current?.isRun) {
      run = current;
      stepAfterRun = ++step;
      endOfRun = at;
    } else if (current?.accepts(items[at] as Item)) {
      step++;
      at++;
    } else if (run?.accepts(items[endOfRun] as Item)) {
      step = stepAfterRun;
      at = ++endOfRun;
    } else {
      return false;
    }
  }
  while (steps[step]?.isRun) step++;
  return step === steps.length;
}
