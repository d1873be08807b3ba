import { STATUS_CODES } from 'node:http';
import { RegistryError } from '#domain/registry-error.js';
import type { Destiny } from '#domain/registry-error.js';
import type { Reason } from '#domain/reasons.js';
import { ForbiddenAddress } from './forbidden-address.js';

/** A request that failed. The message names the URL without its query, where a key could stand. */
export class HttpFailure extends RegistryError {
  /** Undefined when there was no answer. */
  readonly status: number | undefined;

  constructor(
    reason: Reason,
    message: string,
    destiny: Destiny,
    details: { status?: number; retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(reason, message, destiny, { cause: details.cause, retryAfterMs: details.retryAfterMs });
    this.status = details.status;
  }
}

/** The answer has more bytes than the caller takes. */
export class TooLarge extends Error {
  constructor(readonly limit: number) {
    super(`more than ${limit} bytes`);
    this.name = 'TooLarge';
  }
}

/** A URL as messages and status show it: user name, password and query could be credentials. */
export function shownUrl(url: string | URL): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

/** What is known of an answer that is no success, beside its status. */
export interface StatusDetails {
  /** What the server says about it. */
  readonly said: string | undefined;
  /** What to do when the server wants a login, or another one. */
  readonly loginRemedy: string | undefined;
  readonly retryAfterMs: number | undefined;
}

/** Returns the failure that an answer without success stands for. */
export function statusFailure(
  url: string,
  status: number,
  { said, loginRemedy = 'check the credentials for it', retryAfterMs }: StatusDetails,
): HttpFailure {
  const what = `${url} answered ${[status, STATUS_CODES[status]].filter(Boolean).join(' ')}${said ? ` (${said})` : ''}`;
  if (status === 401 || status === 403) {
    return new HttpFailure('AuthFailed', `${what}: ${loginRemedy}.`, 'wait', { status });
  }
  const isTransient = status === 408 || status === 425 || status === 429 || status >= 500;
  return new HttpFailure('FetchFailed', `${what}.`, isTransient ? 'retry' : 'wait', { status, retryAfterMs });
}

/** What undici, the system or a decoder threw, in words. Throws what none of them would: a fault of our own. */
export function connectionFailure(url: string, error: unknown): HttpFailure {
  const failure = (reason: Reason, what: string, destiny: Destiny) =>
    new HttpFailure(reason, `${url} ${what}.`, destiny, { cause: error });
  if (error instanceof ForbiddenAddress) return failure('FetchFailed', error.message, 'wait');
  if (error instanceof TooLarge) return failure('InvalidData', `answered with ${error.message}`, 'wait');
  const code = codeOf(error);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return failure('Unreachable', 'cannot be reached: its host name is not known; check the spelling', 'retry');
  }
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return failure('Unreachable', 'cannot be reached: no connection', 'retry');
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return failure('InvalidData', 'answered with endless headers', 'wait');
  if (code === '' || code === 'UND_ERR_INVALID_ARG') throw error;
  // Error codes of gzip and of brotli.
  if (code.startsWith('Z_') || code.startsWith('ERR__ERROR_FORMAT')) {
    // A proxy on the way may do this for a while.
    const what = 'answered with data that is not in the content encoding that it announces';
    return failure('InvalidData', `${what} (${code})`, 'retry');
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_/.test(code)) {
    const remedy = 'have the server send its whole chain, or add the authority with NODE_EXTRA_CA_CERTS';
    return failure('Unreachable', `has a certificate that is not trusted (${code}): ${remedy}`, 'wait');
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) {
    return failure('Unreachable', `does not speak TLS (${code}): check whether it is an http:// address`, 'wait');
  }
  if (/^E[A-Z]+$/.test(code)) return failure('Unreachable', `cannot be reached (${code})`, 'retry');
  return failure('Unreachable', `broke off in the middle of an answer (${code})`, 'retry');
}

/** Attempts at several addresses end in an AggregateError, with the code perhaps in its parts only. */
function codeOf(error: unknown): string {
  const { code, errors, cause } = error as { code?: unknown; errors?: unknown[]; cause?: unknown };
  if (typeof code === 'string') return code;
  const inner = errors?.[0] ?? cause;
  return typeof inner === 'object' && inner !== null ? codeOf(inner) : '';
}
