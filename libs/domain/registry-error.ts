import type { NoticeReason } from './notice.js';
import type { Reason } from './reasons.js';

/**
 * The consequence of a failure:
 * - `retry`: transient; try again soon, with backoff
 * - `wait`: definite for now; the next due time, a change or a trigger tries again
 * - `stop`: nothing but an edit by the user can help
 */
export type Destiny = 'retry' | 'wait' | 'stop';

interface Details {
  readonly notice?: NoticeReason;
  readonly retryAfterMs?: number | undefined;
}

/** A failure that a user may read. The message names what failed, with which value, and the remedy; never a secret. */
export class RegistryError extends Error {
  readonly reason: Reason;
  readonly destiny: Destiny;
  /** Said under this reason as well. */
  readonly notice: NoticeReason | undefined;
  /** The failing server asked for this pause (RFC 9110, Retry-After). */
  readonly retryAfterMs: number | undefined;

  constructor(
    reason: Reason,
    message: string,
    destiny: Destiny = 'wait',
    { notice, retryAfterMs, ...options }: ErrorOptions & Details = {},
  ) {
    super(message, options);
    this.notice = notice;
    this.retryAfterMs = retryAfterMs;
    this.name = 'RegistryError';
    this.reason = reason;
    this.destiny = destiny;
  }
}
