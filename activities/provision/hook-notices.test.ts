import { expect, it } from 'vitest';
import { readHookNotices } from './hook-notices.js';
import type { ProvisionWorld } from './provision-world.js';

const registry = { namespace: 'default', name: 'team', uid: 'u' };

/** The part of the API that the test needs, with Secrets from memory. */
function apiWith(secrets: Readonly<Record<string, string>>): Pick<ProvisionWorld, 'api'> {
  const derived = async ({ name }: { name: string }, _what: string, derive: (object: object) => unknown) =>
    secrets[name] === undefined
      ? undefined
      : derive({ data: { token: Buffer.from(secrets[name]).toString('base64') } });
  return { api: { derived } as unknown as ProvisionWorld['api'] };
}

const webhook = (name: string) => ({ name, type: 'github', secretRef: { name, key: 'token' } });

it('missing and weak secrets of webhooks are reported without their content', async () => {
  const world = apiWith({ good: 'a secret of enough bytes\n', weak: 'short' });
  const notices = await readHookNotices(world, registry, { webhooks: ['good', 'weak', 'absent'].map(webhook) });
  expect(notices).toMatchObject([
    { reason: 'WebhookSecretWeak', message: expect.stringMatching(/^Secret weak, key token has less than 16 bytes/) },
    { reason: 'ReferenceNotFound', message: 'Secret absent, key token does not exist' },
  ]);
  expect(JSON.stringify(notices)).not.toContain('short');
});
