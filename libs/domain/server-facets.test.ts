import { describe, expect, it } from 'vitest';
import { facetsOf } from './server-facets.js';

const secret = { isRequired: true, isSecret: true };
const npm = { registryType: 'npm', transport: { type: 'stdio' } };
const remote = { type: 'sse' };

describe('what a server can be filtered by', () => {
  it('is how it is run and reached, each word once', () => {
    expect(facetsOf({ packages: [npm, npm], remotes: [remote] })).toEqual([
      'package',
      'remote',
      'transport:stdio',
      'transport:sse',
      'registry-type:npm',
      'secret-free',
    ]);
    expect(facetsOf({})).toEqual([]);
  });

  it.each([
    [{ packages: [{ ...npm, environmentVariables: [secret] }] }, false],
    [{ packages: [{ ...npm, packageArguments: [{ variables: { token: secret } }] }] }, false],
    [{ packages: [{ ...npm, transport: { type: 'sse', headers: [secret] } }] }, false],
    [{ remotes: [{ ...remote, variables: { token: secret } }] }, false],
    [{ packages: [{ ...npm, environmentVariables: [{ isSecret: true }, { isRequired: true }] }] }, true],
    [{ packages: [{ ...npm, runtimeArguments: [secret] }, npm] }, true],
    [{ packages: [{ ...npm, runtimeArguments: [secret] }], remotes: [remote] }, true],
  ])('is secret-free when one way of using it needs none (%#)', (ways, expected) => {
    expect(facetsOf(ways).includes('secret-free')).toBe(expected);
  });
});
