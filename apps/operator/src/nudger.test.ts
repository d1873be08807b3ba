import { describe, expect, it } from 'vitest';
import type { RegistryRef } from '#domain/registry-ref.js';
import { Nudger, NUDGES_AT_ONCE } from './nudger.js';

const registry = (uid: string): RegistryRef => ({ namespace: 'default', name: uid, uid });

/** A nudge that completes when the test says so. */
function controlled() {
  const calls: { uid: string; namespace: string; resolve: () => void; reject: (error: Error) => void }[] = [];
  let heard: (() => void) | undefined;
  const nudger = new Nudger({
    nudge: ({ uid, namespace }) =>
      new Promise<void>((resolve, reject) => {
        calls.push({ uid, namespace, resolve, reject });
        heard?.();
      }),
    onFailure: () => undefined,
  });
  const call = async (number: number) => {
    while (calls.length < number) await new Promise<void>((resolve) => (heard = resolve));
    return calls[number - 1]!;
  };
  return { nudger, calls, call };
}

describe('a nudger', () => {
  it('nudges each resource by itself', async () => {
    const { nudger, call } = controlled();
    nudger.enqueue(registry('a'));
    nudger.enqueue(registry('b'));
    expect([(await call(1)).uid, (await call(2)).uid]).toEqual(['a', 'b']);
    nudger.stop();
  });

  it('nudges once more after any number of changes during a nudge', async () => {
    const { nudger, calls, call } = controlled();
    nudger.enqueue(registry('a'));
    const first = await call(1);
    for (let times = 0; times < 5; times++) nudger.enqueue(registry('a'));
    expect(calls).toHaveLength(1);
    first.resolve();
    (await call(2)).resolve();
    nudger.enqueue(registry('b'));
    await call(3);
    expect(calls.map(({ uid }) => uid)).toEqual(['a', 'a', 'b']);
    nudger.stop();
  });

  it('retries until a nudge succeeds', async () => {
    const { nudger, call } = controlled();
    nudger.enqueue(registry('a'));
    (await call(1)).reject(new Error('Temporal is away'));
    (await call(2)).resolve();
    expect((await call(2)).uid).toBe('a');
    nudger.stop();
  });

  it('distinguishes registries with the same uid, so that a false name does not block the real one', async () => {
    const { nudger, call } = controlled();
    nudger.enqueue({ namespace: 'attacker', name: 'x', uid: 'a' });
    (await call(1)).reject(new Error('no such namespace'));
    nudger.enqueue({ namespace: 'default', name: 'a', uid: 'a' });
    expect((await call(2)).namespace).toBe('default');
    nudger.stop();
  });

  it('keeps its limit, and passes the slot of a failing registry to the next one', async () => {
    const { nudger, calls, call } = controlled();
    for (let at = 0; at < 3 * NUDGES_AT_ONCE; at++) nudger.enqueue(registry(String(at)));
    await call(NUDGES_AT_ONCE);
    expect(calls).toHaveLength(NUDGES_AT_ONCE);
    expect(nudger.backlog).toBe(3 * NUDGES_AT_ONCE);
    for (const { reject } of calls.slice(0, NUDGES_AT_ONCE)) reject(new Error('Temporal is away'));
    await call(2 * NUDGES_AT_ONCE);
    expect(calls.slice(NUDGES_AT_ONCE).every(({ uid }) => Number(uid) >= NUDGES_AT_ONCE)).toBe(true);
    nudger.stop();
  });
});
