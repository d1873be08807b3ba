import { isFields } from '#domain/fields.js';
import { z } from 'zod';
import { listedBy } from '#domain/admission-rule.js';
import { dataKey, secretName, sourceName } from '#domain/spec-fields.js';
import { managedSource } from '#sources/managed.source.js';
import { webhookTypes } from '#webhooks/index.js';
import { nearestName } from './nearest-name.js';
import { always, uniqueNames } from './refinements.js';

const WEBHOOKS_LIMIT = 10;
const SOURCES_LIMIT = 20;

const webhook = z.strictObject({
  name: z
    .string()
    .max(63)
    .regex(
      /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
      'must be lower-case letters, digits and "-", beginning and ending with a letter or digit',
    )
    .describe('name is the last part of the path to which deliveries are sent: /v1/hooks/NAME.'),
  type: z
    .enum(webhookTypes.map(({ type }) => type))
    .describe('type is the kind of sender, which decides how deliveries are signed.'),
  secretRef: z
    .strictObject({
      name: secretName.describe('name is the name of the Secret.'),
      key: dataKey.default('token').describe('key is the key in the data of the Secret. Defaults to token.'),
    })
    .describe('secretRef refers to the secret that the sender signs with, of at least 16 bytes.'),
  sources: z
    .array(sourceName)
    .min(1)
    .max(SOURCES_LIMIT)
    .optional()
    .describe('sources are the sources that are synced after a delivery. Defaults to all but managed ones.'),
});

export const webhooksSpec = z
  .array(webhook)
  .max(WEBHOOKS_LIMIT)
  .superRefine(uniqueNames, always)
  .meta(listedBy('name'))
  .describe('webhooks are the senders whose signed deliveries start a sync.');

export type WebhookSpec = z.output<typeof webhook>;

/**
 * A refinement of an object with `webhooks` and a list of sources: each webhook must refer to sources that are synced.
 */
export function webhooksNameSources(sourcesField: string) {
  return (config: unknown, context: z.core.$RefinementCtx): void => {
    if (!isFields(config)) return;
    const { [sourcesField]: listed, webhooks } = config;
    if (!Array.isArray(webhooks)) return;
    const names = syncedNames(Array.isArray(listed) ? listed : []);
    for (const [at, hook] of webhooks.entries()) {
      const sources: unknown = (hook as { sources?: unknown } | null)?.sources;
      for (const [index, name] of Array.isArray(sources) ? sources.entries() : []) {
        if (typeof name !== 'string' || names.includes(name)) continue;
        const path = ['webhooks', at, 'sources', index];
        context.addIssue({ code: 'custom', path, message: `is not a source that is synced: ${remedy(name, names)}` });
      }
    }
  };
}

/** Returns the names of all sources except managed ones, which change only by publications. */
function syncedNames(sources: readonly unknown[]): string[] {
  return sources.flatMap((source) => {
    const { name, [managedSource.block]: managed } = (source ?? {}) as Record<string, unknown>;
    return typeof name === 'string' && managed === undefined ? [name] : [];
  });
}

function remedy(name: string, names: readonly string[]): string {
  const nearest = nearestName(name, names);
  if (nearest !== undefined) return `did you mean ${nearest}?`;
  return `remove it${names.length > 0 ? `, or use one of ${names.join(', ')}` : ''}`;
}
