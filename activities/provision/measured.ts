import type { KindName } from '#kubernetes/kinds.js';

/** Called after each attempt to reconcile an object. */
export type Reconciled = (kind: KindName, seconds: number, failed: boolean) => void;

export async function measured<T>(
  reconciled: Reconciled | undefined,
  kind: KindName,
  work: () => Promise<T>,
): Promise<T> {
  const startedAtMs = performance.now();
  let failed = true;
  try {
    const result = await work();
    failed = false;
    return result;
  } finally {
    reconciled?.(kind, (performance.now() - startedAtMs) / 1000, failed);
  }
}
