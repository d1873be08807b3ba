import { STATUS_CODES } from 'node:http';
import { RegistryError } from '#domain/registry-error.js';
import type { Destiny } from '#domain/registry-error.js';
import type { Reason } from '#domain/reasons.js';
import { BodiesTooLarge } from './body-budget.js';
import { ForbiddenAddress } from './forbidden-address.js';

/** An error for a request that failed. The message contains the URL without its query, which may contain a key. */
export class HttpFailure extends RegistryError {
  /** Status of the response. Undefined if there was no response. */
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

/** Thrown if a response has more bytes than the caller accepts. */
export class TooLarge extends Error {
  constructor(readonly limit: number) {
    super(`more than ${limit} bytes`);
    this.name = 'TooLarge';
  }
}

/**
 * Returns a URL as messages and the status show it. The user name, password and query are left out, because they may be
 * credentials.
 */
export function shownUrl(url: string | URL): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

/** Details of an unsuccessful response, in addition to its status code. */
export interface StatusDetails {
  /** The error message of the server. */
  readonly said: string | undefined;
  /** What the user should do if the server requires credentials or rejects the given ones. */
  readonly loginRemedy: string | undefined;
  readonly retryAfterMs: number | undefined;
}

/** Returns the failure for a response whose status does not mean success. */
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

/**
 * Returns a failure that describes an error thrown by undici, the system or a decoder. Rethrows any other error,
 * because it is a bug in this program. `authorityRemedy` says how to add a trusted certificate authority.
 */
export function connectionFailure(
  url: string,
  error: unknown,
  authorityRemedy = 'add the authority with NODE_EXTRA_CA_CERTS',
): HttpFailure {
  const failure = (reason: Reason, what: string, destiny: Destiny) =>
    new HttpFailure(reason, `${url} ${what}.`, destiny, { cause: error });
  if (error instanceof ForbiddenAddress) return failure('FetchFailed', error.message, 'wait');
  if (error instanceof BodiesTooLarge)
    return failure('FetchFailed', `could not be read to the end: ${error.message}`, 'retry');
  if (error instanceof TooLarge) return failure('InvalidData', `answered with ${error.message}`, 'wait');
  const code = codeOf(error);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return failure('Unreachable', 'cannot be reached: its host name cannot be resolved; check the spelling', 'retry');
  }
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return failure('Unreachable', 'cannot be reached: no connection', 'retry');
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return failure('InvalidData', 'sent more headers than are accepted', 'wait');
  if (code === '' || code === 'UND_ERR_INVALID_ARG') throw error;
  // Error codes of gzip and of brotli.
  if (code.startsWith('Z_') || code.startsWith('ERR__ERROR_FORMAT')) {
    // A proxy in between may cause this temporarily, so the request is retried.
    const what = 'sent data that does not match its Content-Encoding';
    return failure('InvalidData', `${what} (${code})`, 'retry');
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_/.test(code)) {
    const remedy = `configure the server to send its complete certificate chain, or ${authorityRemedy}`;
    return failure('Unreachable', `has a certificate that is not trusted (${code}): ${remedy}`, 'wait');
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) {
    return failure('Unreachable', `does not speak TLS (${code}): check whether it should be an http:// URL`, 'wait');
  }
  if (/^E[A-Z]+$/.test(code)) return failure('Unreachable', `cannot be reached (${code})`, 'retry');
  return failure('Unreachable', `closed the connection in the middle of a response (${code})`, 'retry');
}

/**
 * Returns the code of an error. If several addresses were tried, the error is an AggregateError, and the code may be in
 * its inner errors only.
 */
function codeOf(error: unknown): string {
  const { code, errors, cause } = error as { code?: unknown; errors?: unknown[]; cause?: unknown };
  if (typeof code === 'string') return code;
  const inner = errors?.[0] ?? cause;
  return typeof inner === 'object' && inner !== null ? codeOf(inner) : '';
}
