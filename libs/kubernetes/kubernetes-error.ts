import { RegistryError } from '#domain/registry-error.js';
import type { Destiny } from '#domain/registry-error.js';

/** What the API server says about a request that it did not carry out. */
export interface ApiStatus {
  readonly code: number;
  /** The server's word for it: NotFound, Conflict, Invalid, Forbidden, Expired, … */
  readonly reason: string;
  readonly message: string;
}

/** The API server refused; the message holds its own words. */
export class KubernetesRefusal extends RegistryError {
  readonly code: number;
  readonly statusReason: string;

  constructor(attempted: string, status: ApiStatus) {
    super('KubernetesRefused', `${attempted}: ${status.message}`, destinyOf(status));
    this.code = status.code;
    this.statusReason = status.reason;
  }
}

/** The API server did not answer, or broke off. */
export class KubernetesUnreachable extends RegistryError {
  constructor(attempted: string, cause: unknown) {
    super('KubernetesUnreachable', `${attempted}: the API server does not answer: ${describe(cause)}`, 'retry', {
      cause,
    });
  }
}

/** Overload, races and faults of the server pass; a refusal stands until somebody changes something. */
function destinyOf({ code, reason }: ApiStatus): Destiny {
  return code >= 500 || code === 429 || reason === 'Conflict' || reason === 'Expired' || code === 401
    ? 'retry'
    : 'wait';
}

/** The body of an answer that is no success; proxies in between answer with anything. */
export function parseStatus(code: number, body: string): ApiStatus {
  try {
    const status = JSON.parse(body) as Partial<ApiStatus>;
    if (typeof status.message === 'string')
      return { code: status.code ?? code, reason: status.reason ?? '', message: status.message };
  } catch {
    // Not the API server's.
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
