import { expect, it } from 'vitest';
import { SharedProgress } from './shared-progress.js';

it('shows what is still in progress when something else is done', async () => {
  const shown: string[] = [];
  const shared = new SharedProgress({ step: (text) => void shown.push(text), done: () => undefined });
  const temporal = Promise.withResolvers<void>();
  const postgres = Promise.withResolvers<void>();
  const parts = [
    shared.during(async (part) => {
      part.step('building Temporal');
      await temporal.promise;
    }),
    shared.during(async (part) => {
      part.step('starting Postgres');
      await postgres.promise;
    }),
  ];
  postgres.resolve();
  await parts[1];
  expect(shown).toEqual(['building Temporal', 'starting Postgres', 'building Temporal']);
  temporal.resolve();
  await parts[0];
  expect(shown).toHaveLength(3);
});
