import { createHash, timingSafeEqual } from 'node:crypto';
import { isStandardSecret, proveStandard, standardWebhook } from './standard.webhook.js';
import type { Delivery, WebhookType } from './webhook.js';

const COUNTED: ReadonlySet<string> = new Set(['Push Hook', 'Tag Push Hook', 'Release Hook', 'System Hook']);

/**
 * GitLab. A signing token (`whsec_…`) is used according to Standard Webhooks. Any other secret is compared with the
 * secret token.
 */
export const gitlabWebhook: WebhookType = {
  type: 'gitlab',
  prove: (delivery, secret) =>
    isStandardSecret(secret) ? proveStandard(delivery, secret) : proveToken(delivery, secret),
  isCounted: ({ header }) => COUNTED.has(header('x-gitlab-event') ?? ''),
  secretFault: (secret) => (isStandardSecret(secret) ? standardWebhook.secretFault?.(secret) : undefined),
};

/**
 * Verifies the secret token by comparing hashes, which have equal length. The token proves the sender but not the body,
 * so the body is used to distinguish deliveries.
 */
function proveToken({ header, body }: Delivery, secret: Uint8Array): string | undefined {
  const token = header('x-gitlab-token');
  // Node decodes header values as Latin-1.
  if (!token || !timingSafeEqual(sha256(Buffer.from(token, 'latin1')), sha256(secret))) return undefined;
  return sha256(Buffer.concat([Buffer.from(`${header('x-gitlab-event')}\n`), body])).toString('hex');
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
