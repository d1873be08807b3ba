import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { expect, it } from 'vitest';
import { onlyRegistry } from '../served-registry.js';
import type { RegistryDirectory, ServedRegistry } from '../served-registry.js';
import { getServedRegistry, scopeToRegistry } from '../request-registry.js';

const [first, second] = ['first', 'second'].map((name): ServedRegistry => ({
  namespace: 'default',
  name,
  sources: [],
  auth: { mode: 'anonymous' },
})) as [ServedRegistry, ServedRegistry];
const both: RegistryDirectory = {
  find: (namespace, name) => [first, second].find((one) => one.namespace === namespace && one.name === name),
  default: () => first,
  all: () => [first, second],
};

function route(url: string, directory: RegistryDirectory): [string, string] {
  const raw = { url } as IncomingMessage;
  const rewritten = scopeToRegistry(raw, directory);
  return [getServedRegistry({ raw } as FastifyRequest).name, rewritten];
}

it.each([
  ['/v0.1/servers', 'first', '/v0.1/servers'],
  ['/default/first/v0.1/servers?limit=1', 'first', '/v0.1/servers?limit=1'],
  ['/default/second/v0.1/servers', 'second', '/v0.1/servers'],
  ['/default/second/registry/a/v0.1/servers', 'second', '/registry/a/v0.1/servers'],
  ['/default/second', 'second', '/'],
  ['/default/second?x=/y', 'second', '/?x=/y'],
  ['http://host:80/default/second/health', 'second', '/health'],
  ['/default/secondary/health', 'first', '/default/secondary/health'],
  ['/default/second%2Fhealth', 'first', '/default/second%2Fhealth'],
  ['/', 'first', '/'],
])('resolves %s to %s: %s', (url, registry, rewritten) => {
  expect(route(url, both)).toEqual([registry, rewritten]);
});

it('does not change the paths of a pod, even if they start with its own name', () => {
  const pod = onlyRegistry({ namespace: 'registry', name: 'toolhive', sources: [], auth: { mode: 'anonymous' } });
  expect(route('/registry/toolhive/v0.1/servers', pod)).toEqual(['toolhive', '/registry/toolhive/v0.1/servers']);
});

it('finds no registry if none is served', () => {
  const nobody: RegistryDirectory = { find: () => undefined, default: () => undefined, all: () => [] };
  expect(() => route('/v0.1/servers', nobody)).toThrow('no registry is served at this URL');
});
