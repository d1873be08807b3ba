import type { RegistrySpec } from '#spec/registry-spec.js';
import type { WebhookSpec } from '#spec/webhook-spec.js';
import type { Notice } from '#domain/notice.js';
import { ownMember } from '#domain/own-member.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { secretFault, trimSecret } from '#webhooks/hook-secret.js';
import type { ProvisionWorld } from './provision-world.js';

interface SecretObject extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
}

/**
 * Returns notices about webhook secrets that are missing or too weak to be used. A `configYAML` brings secrets of its
 * own, which are not checked.
 */
export async function readHookNotices(
  world: Pick<ProvisionWorld, 'api'>,
  registry: RegistryRef,
  { raw, webhooks = [] }: Pick<RegistrySpec, 'raw' | 'webhooks'>,
): Promise<Notice[]> {
  if (raw) return [];
  return (await Promise.all(webhooks.map((webhook) => noticesAbout(world, registry, webhook)))).flat();
}

async function noticesAbout(
  { api }: Pick<ProvisionWorld, 'api'>,
  { namespace }: RegistryRef,
  { name, type, secretRef }: WebhookSpec,
): Promise<Notice[]> {
  const secret = { kind: 'Secret', namespace, name: secretRef.name } as const;
  const named = `Secret ${secretRef.name}, key ${secretRef.key}`;
  const fault = await api.derived<SecretObject, string | null>(secret, `${type} in ${secretRef.key}`, ({ data }) => {
    const value = ownMember(data, secretRef.key);
    return value === undefined ? null : (secretFault(type, trimSecret(Buffer.from(value, 'base64'))) ?? '');
  });
  if (fault === undefined || fault === null)
    return [{ reason: 'ReferenceNotFound', message: `${named} does not exist` }];
  if (fault === '') return [];
  const message = `${named} ${fault}: no delivery of webhook ${name} is accepted until the secret is longer`;
  return [{ reason: 'WebhookSecretWeak', message }];
}
