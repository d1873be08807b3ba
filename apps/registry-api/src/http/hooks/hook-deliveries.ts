import type { IncomingMessage } from 'node:http';
import type { Logger } from 'pino';
import { secretFault, trimSecret } from '#webhooks/hook-secret.js';
import { getWebhookType } from '#webhooks/index.js';
import type { Delivery } from '#webhooks/webhook.js';
import type { AuthReferences } from '../../auth/provider-material.js';
import type { ServedRegistry, ServedWebhook } from '../../served-registry.js';
import type { SourceNudges } from '../../sync/source-nudges.js';
import { BodySlots } from '../body-slots.js';
import { Refusal } from '../../refusal.js';
import { HookJournal } from './hook-journal.js';
import { RecentProofs } from './recent-proofs.js';

/** Limits of webhook deliveries. A push that exceeds them is noticed at the next interval of the source. */
export const HOOK_LIMITS = {
  bodyBytes: 5 * 1024 * 1024,
  /** Maximum number of bodies read at the same time. */
  bodies: 4,
} as const;

export interface HookAnswer {
  readonly status: 200 | 202;
  readonly body: object;
}

/** Verifies webhook deliveries and nudges the affected sources. */
export class HookDeliveries {
  readonly journal = new HookJournal();
  readonly #slots = new BodySlots(HOOK_LIMITS.bodies);
  readonly #proofs = new RecentProofs();

  constructor(
    private readonly references: Pick<AuthReferences, 'secretKey'>,
    private readonly nudges: SourceNudges,
    private readonly logger: Logger,
  ) {}

  /** Decides whether the body of a delivery may be read. Throws a 404 for an unknown webhook, and `BodiesBusy`. */
  admit(registry: ServedRegistry, name: string, message: IncomingMessage): void {
    getWebhook(registry, name);
    this.#slots.take(message);
  }

  /** Handles a delivery whose body has been read. Throws a Refusal without a valid proof. */
  async deliver(registry: ServedRegistry, name: string, delivery: Delivery): Promise<HookAnswer> {
    const webhook = getWebhook(registry, name);
    const type = getWebhookType(webhook.type);
    const proof = type.prove(delivery, await this.secretOf(registry, webhook));
    if (proof === undefined) {
      this.refuse(registry, name, MISMATCH);
      throw new Refusal('unauthenticated', MISMATCH);
    }
    if (this.#proofs.isRepeated(`${registry.namespace}/${registry.name}/${name} ${proof}`)) {
      this.journal.verified(registry, name, 'duplicate');
      return { status: 200, body: { duplicate: true } };
    }
    if (!type.isCounted(delivery)) {
      this.journal.verified(registry, name, 'ignored');
      return { status: 200, body: { ignored: true } };
    }
    this.journal.verified(registry, name, 'accepted');
    const { sources } = webhook;
    for (const source of sources) {
      this.nudges.changed({ namespace: registry.namespace, registry: registry.name, source });
    }
    return { status: 202, body: { sources } };
  }

  /** Reads the secret for each delivery, because it may be rotated. Throws a Refusal if the secret cannot be used. */
  private async secretOf(registry: ServedRegistry, { name, type, secretRef }: ServedWebhook): Promise<Buffer> {
    const read = await this.references.secretKey(registry.namespace, secretRef.name, secretRef.key).then(
      (bytes) => ({ secret: trimSecret(bytes) }),
      (error: unknown) => ({ fault: error instanceof Error ? error.message : 'it cannot be read' }),
    );
    const weakness = 'secret' in read ? secretFault(type, read.secret) : undefined;
    if ('secret' in read && weakness === undefined) return read.secret;
    const named = `Secret ${secretRef.name}, key ${secretRef.key},`;
    this.refuse(registry, name, 'fault' in read ? read.fault : `${named} ${weakness}`);
    const message = `the secret of the webhook "${name}" cannot be used: see GET /v1/hooks for the reason; retry later`;
    throw new Refusal('unavailable', message, { retryAfterSeconds: 60 });
  }

  /** Logs a refusal only if its reason is new, because anybody may send any number of deliveries. */
  private refuse(registry: ServedRegistry, hook: string, why: string): void {
    if (!this.journal.refused(registry, hook, why)) return;
    this.logger.warn({ namespace: registry.namespace, registry: registry.name, hook, why }, 'webhook delivery refused');
  }
}

/** The same message for every cause, so that a forger learns nothing. */
const MISMATCH = 'the signature does not match';

function getWebhook({ webhooks = [] }: ServedRegistry, name: string): ServedWebhook {
  const webhook = webhooks.find((each) => each.name === name);
  if (!webhook) throw new Refusal('unknown', 'there is no such webhook');
  return webhook;
}
