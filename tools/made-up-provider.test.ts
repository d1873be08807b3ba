import { expect, it } from 'vitest';
import { z } from 'zod';
import { absoluteFile, httpUrl, secretKeyRef } from '#domain/spec-fields.js';
import { tokenProviders } from '#identity/providers/index.js';
import { defineTokenProvider } from '#identity/token-provider.js';
import type { TokenProvider } from '#identity/token-provider.js';
import { TokenRefused } from '#identity/verdict.js';

/** A kind of token that the product does not have. This constant is what its file would contain. */
const ticketProvider = defineTokenProvider({
  fields: {
    ticketUrl: httpUrl.optional().describe('ticketUrl is the URL that explains tickets.'),
    stampFile: absoluteFile.optional(),
    stampRef: secretKeyRef.optional(),
    ticketLimit: z.number().int().optional(),
  },
  endpoints: ['ticketUrl'],
  objects: [{ path: ['stampRef'], kind: 'Secret', fileField: 'stampFile' }],
  notices: ({ ticketLimit }) =>
    ticketLimit === 0 ? [{ reason: 'RefsIgnored', message: 'no ticket is accepted: ticketLimit is 0' }] : [],
  concerns: (token, { ticketUrl }) => token.kind === 'opaque' && ticketUrl !== undefined,
  createVerifier:
    async ({ stampRef }, { secretKey }) =>
    async (token) => {
      const stamp = Buffer.from(await secretKey(stampRef!.name, stampRef!.key)).toString();
      if (!token.endsWith(stamp)) throw new TokenRefused('signature', 'it has no stamp');
      return { subject: 'passenger', scopes: new Set(['ride']), expiresAtMs: undefined };
    },
});

// The line that a new kind adds to libs/identity/providers/index.ts. All other modules are loaded afterwards, as in a
// real process.
(tokenProviders as TokenProvider[]).push(ticketProvider);
const { customResourceDefinition } = await import('#spec/custom-resource-definition.js');
const { parseRegistrySpec } = await import('#spec/registry-spec.js');
const { parseServerConfig, renderServerConfig } = await import('#spec/server-config.js');
const { toPodFiles } = await import('#activities/provision/desired/pod-files.js');
const { blueprint } = await import('#activities/provision/testing/blueprint.js');
const { referencedObjects } = await import('#operator/watch/referenced-objects.js');
const { Authenticator } = await import('#registry-api/auth/authenticator.js');

const provider = {
  name: 'bus',
  issuerUrl: 'https://bus.example.com',
  audience: 'registry',
  ticketUrl: 'https://bus.example.com/tickets',
  stampRef: { name: 'stamps', key: 'stamp' },
};
const authOf = (change: object = {}) => ({ mode: 'oauth', oauth: { providers: [{ ...provider, ...change }] } });

function parse(change: object = {}) {
  return parseRegistrySpec({ auth: authOf(change), registries: [{ name: 'a', pvcRef: { claimName: 'c' } }] });
}

function demandSpec(change: object = {}) {
  const parsed = parse(change);
  if ('faults' in parsed) throw new Error(JSON.stringify(parsed.faults));
  return parsed;
}

it('validates its fields, is a part of the CRD, and reports its notices', () => {
  expect(parse({ ticketUrl: 'bus' })).toHaveProperty('faults');
  expect(JSON.stringify(customResourceDefinition())).toContain('ticketUrl is the URL that explains tickets.');
  expect(demandSpec({ ticketLimit: 0, ticketUrl: 'http://10.0.0.1' }).notices).toEqual([
    { reason: 'ProviderAddressRefused', message: expect.stringContaining('ticketUrl') },
    { reason: 'RefsIgnored', message: 'provider bus: no ticket is accepted: ticketLimit is 0' },
  ]);
  expect(demandSpec({ stampFile: '/secrets/x/y' }).notices).toEqual([
    { reason: 'RefsIgnored', message: 'provider bus: stampRef is ignored, because stampFile takes precedence' },
  ]);
});

it('has its Secret mounted and watched, and refers to no file that the server must not read', () => {
  expect(toPodFiles(blueprint({ authConfig: authOf() }))).toMatchObject([
    { mountPath: '/secrets/stamps', volume: { name: 'auth-stamps' } },
  ]);
  expect([...referencedObjects({ auth: authOf() })]).toEqual(['Secret/stamps']);
  expect(parse({ stampFile: '/etc/shadow' })).toMatchObject({
    faults: [{ path: ['spec', 'auth', 'oauth', 'providers', 0, 'stampFile'] }],
  });
});

it('reaches the server unchanged', () => {
  const { spec } = demandSpec();
  const text = renderServerConfig(spec, { namespace: 'n', name: 'r' });
  expect(parseServerConfig(text)).toMatchObject({ spec: { auth: spec.auth } });
});

it('judges tokens', async () => {
  const { auth } = demandSpec().spec;
  if (auth.mode !== 'oauth') throw new Error('not in mode oauth');
  const unknown = () => Promise.reject(new Error('not used'));
  const authenticator = new Authenticator(auth.oauth, 'n', {
    references: { configMapKey: unknown, secretKey: async (_namespace, name, key) => Buffer.from(`${name}/${key}`) },
    version: 'test',
    now: () => 0,
    onFault: () => undefined,
  });
  expect(await authenticator.identify('ticket stamps/stamp')).toMatchObject({
    kind: 'accepted',
    caller: { provider: 'bus', subject: 'passenger' },
  });
  expect(await authenticator.identify('ticket')).toMatchObject({ kind: 'refused', check: 'signature' });
  await authenticator.close();
});
