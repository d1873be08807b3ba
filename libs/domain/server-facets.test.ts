import { describe, expect, it } from 'vitest';
import { publisherBlocks } from './publisher-blocks.js';
import { facetsOf, tagsOf, toolNames } from './server-facets.js';

const secret = { isRequired: true, isSecret: true };
const npm = { registryType: 'npm', transport: { type: 'stdio' } };
const remote = { type: 'sse' };

describe('what a server can be filtered by', () => {
  it('is how it is run and reached, each facet once', () => {
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
  ])('is secret-free if one way of using it needs no secret (%#)', (ways, expected) => {
    expect(facetsOf(ways).includes('secret-free')).toBe(expected);
  });
});

describe('a string of a publisher', () => {
  const provided = (block: object) => ({
    _meta: { 'io.modelcontextprotocol.registry/publisher-provided': { 'com.example': { block } } },
  });

  it.each([
    ['tag', (texts: string[]) => tagsOf(publisherBlocks(provided({ tags: texts })))],
    ['tool', (texts: string[]) => toolNames(publisherBlocks(provided({ tools: texts })))],
    [
      'type of packages',
      (texts: string[]) =>
        facetsOf({ packages: texts.map((registryType) => ({ ...npm, registryType })) }).flatMap((facet) =>
          facet.startsWith('registry-type:') ? [facet.slice('registry-type:'.length)] : [],
        ),
    ],
  ])('as a %s can be searched for up to 64 characters, and a hundred of them', (_, read) => {
    const many = Array.from({ length: 101 }, (_, at) => `t${at}`);
    expect(read(many)).toEqual(many.slice(0, 100));
    const longest = 'x'.repeat(64);
    expect(read([longest, `${longest}x`, '', 'a\0b', '\ud800', 'b', 'b'])).toEqual([longest, 'b']);
  });
});
