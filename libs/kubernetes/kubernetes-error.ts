import { RegistryError } from '#domain/registry-error.js';
import type { Destiny } from '#domain/registry-error.js';

/** The `Status` with which the API server refuses a request. */
export interface ApiStatus {
  readonly code: number;
  /** For example NotFound, Conflict, Invalid, Forbidden or Expired. */
  readonly reason: string;
  readonly message: string;
}

/** The API server refused a request; the message contains the server's own. */
export class KubernetesRefusal extends RegistryError {
  readonly code: number;
  readonly statusReason: string;

  constructor(attempted: string, status: ApiStatus) {
    super('KubernetesRefused', `${attempted}: ${status.message}`, destinyOf(status));
    this.code = status.code;
    this.statusReason = status.reason;
  }
}

/** The API server did not answer, or the connection broke. */
export class KubernetesUnreachable extends RegistryError {
  constructor(attempted: string, cause: unknown) {
    super('KubernetesUnreachable', `${attempted}: the API server does not answer: ${describe(cause)}`, 'retry', {
      cause,
    });
  }
}

/** Overload, conflicts and server errors are transient; any other refusal stands until something is changed. */
function destinyOf({ code, reason }: ApiStatus): Destiny {
  return code >= 500 || code === 429 || reason === 'Conflict' || reason === 'Expired' || code === 401
    ? 'retry'
    : 'wait';
}

/** Parses the body of an error answer, which may come from a proxy in any format. */
export function parseStatus(code: number, body: string): ApiStatus {
  try {
    const status = JSON.parse(body) as Partial<ApiStatus>;
    if (typeof status.message === 'string')
      return { code: status.code ?? code, reason: status.reason ?? '', message: status.message };
  } catch {
    // The answer comes from a proxy.
  }
  const excerpt = body.trim().slice(0, 200);
  return { code, reason: '', message: `HTTP ${code}${excerpt ? `: ${excerpt}` : ''}` };
}

function describe(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(describe).join('; ');
  if (!(cause instanceof Error)) return String(cause);
  const { code } = cause as NodeJS.ErrnoException;
  return code && !cause.message.includes(code) ? `${cause.message} (${code})` : cause.message;
}
