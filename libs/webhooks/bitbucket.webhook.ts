import { provePrefixed } from './hmac.js';
import type { WebhookType } from './webhook.js';

const COUNTED: ReadonlySet<string> = new Set(['repo:push', 'repo:refs_changed', 'mirror:repo_synchronized']);

/** Bitbucket Cloud and Bitbucket Data Center. */
export const bitbucketWebhook: WebhookType = {
  type: 'bitbucket',
  prove: ({ header, body }, key) => provePrefixed(header('x-hub-signature'), { algorithm: 'sha256', key, body }),
  isCounted: ({ header }) => COUNTED.has(header('x-event-key') ?? ''),
};
