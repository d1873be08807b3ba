import type { NoticeReason } from './notice.js';
import type { Reason } from './reasons.js';
import { shortened } from './shortened.js';
import { withoutCredentials } from './without-credentials.js';

/**
 * The consequence of a failure:
 * - `retry`: transient; retry soon, with backoff
 * - `wait`: permanent for now; retry at the next due time, change or trigger
 * - `stop`: only an edit by the user can help
 */
export type Destiny = 'retry' | 'wait' | 'stop';

interface Details {
  readonly notice?: NoticeReason;
  readonly retryAfterMs?: number | undefined;
}

/**
 * Maximum UTF-16 code units in the message of an error. A message may quote names chosen by a tenant, and is copied to
 * statuses, logs and workflow histories.
 */
export const MESSAGE_LIMIT = 16 * 1024;

/**
 * Truncates a message to {@link MESSAGE_LIMIT}. Credentials are removed first, because truncation could leave a part of
 * one that is not recognized.
 */
export function boundedMessage(message: string): string {
  return message.length <= MESSAGE_LIMIT ? message : shortened(withoutCredentials(message), MESSAGE_LIMIT);
}

/**
 * An error with a message for users: what failed, with which value, and the remedy, but never a secret. Long messages
 * are truncated.
 */
export class RegistryError extends Error {
  readonly reason: Reason;
  readonly destiny: Destiny;
  /** Reason of the notice that accompanies the failure. */
  readonly notice: NoticeReason | undefined;
  /** Pause that the failing server requested (RFC 9110, Retry-After). */
  readonly retryAfterMs: number | undefined;

  constructor(
    reason: Reason,
    message: string,
    destiny: Destiny = 'wait',
    { notice, retryAfterMs, ...options }: ErrorOptions & Details = {},
  ) {
    super(boundedMessage(message), options);
    this.notice = notice;
    this.retryAfterMs = retryAfterMs;
    this.name = 'RegistryError';
    this.reason = reason;
    this.destiny = destiny;
  }
}
