import { bitbucketWebhook } from './bitbucket.webhook.js';
import { giteaWebhook } from './gitea.webhook.js';
import { githubWebhook } from './github.webhook.js';
import { gitlabWebhook } from './gitlab.webhook.js';
import { hmacWebhook } from './hmac.webhook.js';
import { standardWebhook } from './standard.webhook.js';
import type { WebhookType } from './webhook.js';

/** The kinds of senders, in the order in which documents list them. */
export const webhookTypes: readonly WebhookType[] = [
  githubWebhook,
  gitlabWebhook,
  giteaWebhook,
  bitbucketWebhook,
  hmacWebhook,
  standardWebhook,
];

/** Returns the type with this name. Throws for a name that no valid spec contains. */
export function getWebhookType(name: string): WebhookType {
  const found = webhookTypes.find(({ type }) => type === name);
  if (!found) throw new Error(`there is no webhook of type ${name}`);
  return found;
}
