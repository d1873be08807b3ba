import { ApplicationFailure } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import { boundedMessage, RegistryError } from '#domain/registry-error.js';
import { withoutCredentials } from '#domain/without-credentials.js';
import { Overtaken } from '#persistence/source-row.js';
import { RETRY_POLICY } from '#http/with-retries.js';

/**
 * Converts an error into a failure that Temporal stores: the reason becomes its type and the destiny a detail. The
 * stack trace is dropped, and passwords are removed from URLs.
 */
export function toFailure(error: unknown): unknown {
  if (error instanceof CancelledFailure || error instanceof ApplicationFailure) return error;
  if (isAbort(error)) return new CancelledFailure('cancelled');
  if (error instanceof RegistryError) {
    const { destiny, retryAfterMs } = error;
    // The wait is too long for a retry of the activity, so the workflow retries the sync later.
    const isLeftAlone = retryAfterMs !== undefined && retryAfterMs > RETRY_POLICY.maxRetryAfterMs;
    const failure = ApplicationFailure.create({
      message: withoutCredentials(error.message),
      type: error.reason,
      nonRetryable: destiny !== 'retry' || isLeftAlone,
      ...(retryAfterMs ? { nextRetryDelay: retryAfterMs } : {}),
      details: detailsOf(error),
    });
    failure.stack = '';
    return failure;
  }
  const message = error instanceof Error ? error.message : String(error);
  const failure = ApplicationFailure.create({
    message: withoutCredentials(boundedMessage(message)),
    type: toReason(error),
  });
  failure.stack = '';
  return failure;
}

/** Returns the details in the order in which `workflows/sync-failure.ts` reads them. */
function detailsOf(error: RegistryError): unknown[] {
  const { destiny, notice, retryAfterMs } = error;
  if (error instanceof Overtaken) return [destiny, null, null, error.overtakenBy];
  if (retryAfterMs !== undefined) return [destiny, notice ?? null, retryAfterMs];
  return notice ? [destiny, notice] : [destiny];
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/**
 * Returns `StorageFailed` for errors of the database, which we cannot explain in detail but which are no unknown
 * internal errors either.
 */
function toReason(error: unknown): 'StorageFailed' | 'InternalError' {
  const code = (error as { code?: unknown } | null)?.code;
  const fromPostgres = typeof code === 'string' && /^([0-9A-Z]{5}|ECONN\w+|EPIPE|ENOENT)$/.test(code);
  return fromPostgres ? 'StorageFailed' : 'InternalError';
}
