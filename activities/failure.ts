import { ApplicationFailure } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import { RegistryError } from '#domain/registry-error.js';
import { Overtaken } from '#persistence/source-row.js';
import { RETRY_POLICY } from '#http/with-retries.js';

/**
 * Turns an error into a failure that Temporal keeps: reason as type, destiny as detail, no
 * stack for what is an answer rather than a fault, and never a password that stood in an address.
 */
export function toFailure(error: unknown): unknown {
  if (error instanceof CancelledFailure || error instanceof ApplicationFailure) return error;
  if (isAbort(error)) return new CancelledFailure('cancelled');
  if (error instanceof RegistryError) {
    const { destiny, retryAfterMs } = error;
    // The sync would only wait, so the workflow retries it later.
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
  const failure = ApplicationFailure.create({ message: withoutCredentials(message), type: toReason(error) });
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

/** Errors of the database are not ours to explain, but they are not an unknown fault either. */
function toReason(error: unknown): 'StorageFailed' | 'InternalError' {
  const code = (error as { code?: unknown } | null)?.code;
  const fromPostgres = typeof code === 'string' && /^([0-9A-Z]{5}|ECONN\w+|EPIPE|ENOENT)$/.test(code);
  return fromPostgres ? 'StorageFailed' : 'InternalError';
}

function withoutCredentials(message: string): string {
  return message.replace(/\/\/\S*@/g, '//');
}
