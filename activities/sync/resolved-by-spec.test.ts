import { expect, it } from 'vitest';
import type { SourceEntity } from '#persistence/entities/source.entity.js';
import type { SourceOutline } from '#domain/sync.js';
import { revisionOf, sinceOf } from './resolved-by-spec.js';

const plan = { specHash: 'now' } as SourceOutline;
const storedBy = (specHash: string) => ({ specHash }) as SourceEntity;
const resolvedBy = (specHash?: string) => ({
  revision: 'commit',
  label: 'registry.json at main',
  since: '2026-01-01T00:00:00Z',
  unchanged: false,
  ...(specHash === undefined ? {} : { specHash }),
});

it('fetches what was resolved, unless the spec was edited since', async () => {
  const source = { plan, resolve: async () => ({ revision: 'other', label: 'registry.json at next' }) };
  expect(await revisionOf(source, resolvedBy('now'))).toMatchObject({ revision: 'commit' });
  expect(await revisionOf(source, resolvedBy('before'))).toMatchObject({ revision: 'other' });
  expect(await revisionOf(source, resolvedBy())).toMatchObject({ revision: 'other' });
});

it('asks for changes only of the registry that was looked at and is stored', () => {
  expect(sinceOf({ plan, stored: storedBy('now') }, resolvedBy('now'))).toBe('2026-01-01T00:00:00Z');
  expect(sinceOf({ plan, stored: storedBy('now') }, resolvedBy('before'))).toBeUndefined();
  expect(sinceOf({ plan, stored: storedBy('before') }, resolvedBy('now'))).toBeUndefined();
});
