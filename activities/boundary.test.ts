import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { guardActivities } from './boundary.js';

const registry = { namespace: 'default', name: 'tools', uid: randomUUID() };
const MINUTE = 60_000;
const startedAtMs = Date.now() - MINUTE;
const { readDesiredState } = guardActivities({ readDesiredState: async () => null }, { digest: 'own', startedAtMs });

it.each([
  ['has the same digest', 'own', startedAtMs + MINUTE],
  ['started earlier', 'other', startedAtMs - MINUTE],
  ['claims to have started an hour from now', 'other', Date.now() + 60 * MINUTE],
])('an operator does its work itself if the other site %s', async (_, digest, other) => {
  expect(await readDesiredState(registry, { digest, startedAtMs: other })).toBeNull();
});

it('an operator leaves its work to another site that started later', async () => {
  const newer = { digest: 'other', startedAtMs: startedAtMs + MINUTE };
  await expect(readDesiredState(registry, newer)).rejects.toMatchObject({ type: 'OtherRelease', nonRetryable: false });
});
