import { proveHex, provePrefixed } from './hmac.js';
import type { WebhookType } from './webhook.js';

const COUNTED: ReadonlySet<string> = new Set(['push', 'create', 'delete', 'release']);

/**
 * Gitea and Forgejo. Only the first signature that is present is verified; a later one cannot replace an invalid one.
 */
export const giteaWebhook: WebhookType = {
  type: 'gitea',
  prove({ header, body }, key) {
    const signed = { algorithm: 'sha256', key, body } as const;
    const bare = header('x-forgejo-signature') ?? header('x-gitea-signature');
    return bare === undefined ? provePrefixed(header('x-hub-signature-256'), signed) : proveHex(bare, signed);
  },
  isCounted: ({ header }) => COUNTED.has(header('x-forgejo-event') ?? header('x-gitea-event') ?? ''),
};
