import { expect, it } from 'vitest';
import { z } from 'zod';
import { registrySpecSchema } from './registry-spec.js';
import { formatFault, parseWithFaults } from './spec-fault.js';

const good = {
  auth: { mode: 'anonymous' },
  registries: [{ name: 'a', git: { repository: 'https://git.example.com/a' } }],
};
const withSource = (fields: object) => ({ ...good, registries: [{ ...good.registries[0], ...fields }] });

function faultsOf(spec: unknown): string[] {
  const parsed = parseWithFaults(registrySpecSchema, spec, { root: ['spec'] });
  return 'faults' in parsed ? parsed.faults.map(formatFault) : [];
}

it.each([
  [{ ...good, filter: {} }, 'spec.filter: is not a field here: move it to spec.registries[].filter'],
  [{ ...good, syncPolicy: {} }, 'spec.syncPolicy: is not a field here: move it to spec.registries[].syncPolicy'],
  [{ ...good, providers: [] }, 'spec.providers: is not a field here: move it to spec.auth.oauth.providers'],
  [withSource({ repository: 'x' }), 'move it to spec.registries[].git.repository'],
  [
    withSource({ databaseConfig: {} }),
    'spec.registries[0].databaseConfig: is not a field here: move it to spec.databaseConfig',
  ],
  [{ ...good, source: {} }, 'spec.source: is not a field here: make it an item of spec.registries'],
  [{ ...good, sources: [] }, 'spec.sources: is not a field here: make each of them an item of spec.registries'],
  [withSource({ sources: [] }), 'spec.registries[0].sources: is not a field here: make each of them an item'],
  [{ ...good, configMapSelector: {} }, 'configMapRef of an item of spec.registries'],
])('suggests the place of a known field that is misplaced: %j', (spec, words) => {
  const faults = faultsOf(spec).join();
  expect(faults).toContain(words);
  expect(faults).not.toContain('remove it');
});

it('suggests no place for a field of many objects, nor for the names of methods', () => {
  for (const field of ['key', 'constructor', 'toString', '__proto__x']) {
    expect(faultsOf({ ...good, [field]: 1 }).join()).not.toMatch(/move it|function/);
  }
});

it('supports recursive schemas', () => {
  const node: z.ZodType = z.strictObject({
    name: z.string().optional(),
    get children() {
      return z.array(node).optional();
    },
  });
  const parsed = parseWithFaults(node, { child: 1 });
  expect('faults' in parsed && parsed.faults.map(formatFault)).toEqual([
    expect.stringContaining('is not a field here'),
  ]);
});
