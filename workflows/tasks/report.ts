import type { RegistryLife } from '../registry-life.js';
import { reportDueAtMs, reported, reportFailed, summarize } from '../state/facts.js';
import type { Task } from './task.js';

/**
 * Reports the facts for the resource's status whenever they have changed, but not until some seconds after the last
 * report.
 */
export const reportTask: Task<RegistryLife> = {
  name: 'report',
  due: (life, nowMs) =>
    (reportDueAtMs(life.state) ?? Infinity) <= nowMs ? [{ key: 'status', run: () => report(life) }] : [],
};

async function report(life: RegistryLife): Promise<void> {
  const { runtime } = life;
  const facts = summarize(life.state);
  try {
    await runtime.registry.reportStatus(life.state.registry, facts);
    life.update((state) => reported(state, facts, runtime.nowMs()));
  } catch {
    life.update((state) => reportFailed(state, runtime.nowMs()));
  }
}
