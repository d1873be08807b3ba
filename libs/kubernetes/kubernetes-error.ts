import { parseJson } from '#domain/parse-json.js';
import { RegistryError } from '#domain/registry-error.js';
import type { Destiny } from '#domain/registry-error.js';

/** The `Status` object with which the API server refuses a request. */
export interface ApiStatus {
  readonly code: number;
  /** The reason of the refusal, such as NotFound, Conflict, Invalid, Forbidden or Expired. */
  readonly reason: string;
  readonly message: string;
}

/** Thrown if the API server refuses a request. The message contains that of the server. */
export class KubernetesRefusal extends RegistryError {
  readonly code: number;
  readonly statusReason: string;

  constructor(attempted: string, status: ApiStatus) {
    super('KubernetesRefused', `${attempted}: ${status.message}`, destinyOf(status));
    this.code = status.code;
    this.statusReason = status.reason;
  }
}

/** Thrown if the API server does not respond or the connection breaks. */
export class KubernetesUnreachable extends RegistryError {
  constructor(attempted: string, cause: unknown) {
    super('KubernetesUnreachable', `${attempted}: the API server does not respond: ${describe(cause)}`, 'retry', {
      cause,
    });
  }
}

/**
 * Returns what to do after a refusal. Overload, conflicts, server errors, expired versions (`Expired`) and rejected
 * credentials (401) are transient. Any other refusal lasts until something is changed.
 */
function destinyOf({ code, reason }: ApiStatus): Destiny {
  return code >= 500 || code === 429 || reason === 'Conflict' || reason === 'Expired' || code === 401
    ? 'retry'
    : 'wait';
}

/**
 * The reason that is set if a kind has no CustomResourceDefinition. The response of the API server is then not a
 * `Status`, so it has no reason of its own.
 */
export const KIND_UNKNOWN = 'KindUnknown';

/** Parses the body of an error response, which may come from a proxy in any format. */
export function parseStatus(code: number, body: string): ApiStatus {
  const status = parseJson(body) as Partial<ApiStatus> | null | undefined;
  if (typeof status?.message === 'string')
    return { code: status.code ?? code, reason: status.reason ?? '', message: status.message };
  const excerpt = body.trim().slice(0, 200);
  if (code === 404 && excerpt === '404 page not found') {
    const message = 'the cluster does not know this kind; install its CustomResourceDefinition, or do without it';
    return { code, reason: KIND_UNKNOWN, message };
  }
  return { code, reason: '', message: `HTTP ${code}${excerpt ? `: ${excerpt}` : ''}` };
}

function describe(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(describe).join('; ');
  if (!(cause instanceof Error)) return String(cause);
  const { code } = cause as NodeJS.ErrnoException;
  return code && !cause.message.includes(code) ? `${cause.message} (${code})` : cause.message;
}
