import { provePrefixed } from './hmac.js';
import type { WebhookType } from './webhook.js';

/** Any sender that signs the body with a shared key. Every delivery is considered relevant. */
export const hmacWebhook: WebhookType = {
  type: 'hmac',
  prove({ header, body }, key) {
    const value = header('x-signature');
    const algorithm = value?.startsWith('sha512=') ? 'sha512' : 'sha256';
    return provePrefixed(value, { algorithm, key, body });
  },
  isCounted: () => true,
};
