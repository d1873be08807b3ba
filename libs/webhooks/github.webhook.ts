import { provePrefixed } from './hmac.js';
import type { WebhookType } from './webhook.js';

const COUNTED: ReadonlySet<string> = new Set(['push', 'create', 'delete', 'release']);

/** GitHub. Its older SHA-1 signature is ignored. */
export const githubWebhook: WebhookType = {
  type: 'github',
  prove: ({ header, body }, key) => provePrefixed(header('x-hub-signature-256'), { algorithm: 'sha256', key, body }),
  isCounted: ({ header }) => COUNTED.has(header('x-github-event') ?? ''),
};
