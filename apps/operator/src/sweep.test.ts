import { expect, it } from 'vitest';
import type { RegistryRef } from '#domain/registry-ref.js';
import { sweep } from './sweep.js';

const registry = (name: string): RegistryRef => ({ namespace: 'team', name, uid: `uid-of-${name}` });

/** Returns the result of a sweep, and the workflows that it told to look again. */
async function sweepOf(found: {
  readonly running?: readonly RegistryRef[];
  readonly served?: readonly RegistryRef[];
  readonly existing?: readonly RegistryRef[];
  readonly reported?: readonly RegistryRef[];
  readonly seesNamespace?: boolean;
}) {
  const { running = [], served = [], existing = [], reported = [], seesNamespace = true } = found;
  const isIn = (list: readonly RegistryRef[]) => (one: RegistryRef) => list.some(({ uid }) => uid === one.uid);
  const lookedAgain: RegistryRef[] = [];
  const result = await sweep({
    workflows: {
      async *running() {
        yield* running;
      },
      isServed: async (one) => isIn(served)(one),
      lookAgain: async (one) => void lookedAgain.push(one),
    },
    registries: () => existing,
    sees: () => seesNamespace,
    exists: isIn(existing),
    hasReported: isIn(reported),
  });
  return { ...result, lookedAgain };
}

const [a, b] = [registry('a'), registry('b')];
const nothing = { orphans: [], deserted: [], unstarted: [], lookedAgain: [] };

it('finds nothing if every registry has its workflow, listed or not yet', async () => {
  expect(await sweepOf({ running: [a], served: [b], existing: [a, b], reported: [a, b] })).toEqual(nothing);
});

it('finds a workflow without a registry, and nudges it', async () => {
  expect(await sweepOf({ running: [a] })).toEqual({ ...nothing, orphans: [a], lookedAgain: [a] });
});

it('ignores the workflows of a namespace that it does not watch', async () => {
  expect(await sweepOf({ running: [a], seesNamespace: false })).toEqual(nothing);
});

it('finds a registry whose workflow has ended', async () => {
  expect(await sweepOf({ existing: [a], reported: [a] })).toEqual({ ...nothing, deserted: [a] });
});

it('does not report a new registry, whose first workflow is about to start', async () => {
  expect(await sweepOf({ existing: [a, b], reported: [b] })).toEqual({ ...nothing, deserted: [b], unstarted: [a] });
});
