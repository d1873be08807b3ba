import { parseJson } from '#domain/parse-json.js';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { RegistryError } from '#domain/registry-error.js';
import { isFields } from '#domain/fields.js';
import type { Fields } from '#domain/fields.js';
import { TooLarge } from '#http/http-failure.js';
import { readBody } from '#http/read-body.js';
import { trimmedEnd } from '#domain/trimmed-end.js';

const REQUEST_TIMEOUT_MS = 30_000;
/** Maximum bytes of a response, more than the largest page of our registries. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** Maximum characters shown of an error response. */
const SHOWN = 2000;

/** A request body. */
interface Sent {
  readonly body: string;
  readonly type: string;
}

/** An HTTP client for one registry, used by commands. The token is sent only to the given URL. */
export class RegistryClient {
  readonly #base: string;
  readonly #token: string | undefined;

  constructor(base: string, token: string | undefined) {
    this.#base = trimmedEnd(base, '/');
    this.#token = token;
  }

  /**
   * Sends a GET. Throws a RegistryError if the registry is unreachable, refuses the request, or responds with anything
   * but a JSON object.
   */
  get(path: string): Promise<{ readonly value: Fields; readonly bytes: number }> {
    return this.#ask(path);
  }

  /** Sends a POST, with the same limits as `get`. */
  post(path: string, sent: Sent): Promise<{ readonly value: Fields; readonly bytes: number }> {
    return this.#ask(path, sent);
  }

  async #ask(path: string, sent?: Sent): Promise<{ readonly value: Fields; readonly bytes: number }> {
    const place = new URL(this.#base).origin;
    const { status, body } = await this.#fetch(`${this.#base}${path}`, sent).catch((error: unknown) => {
      throw unreachable(place, error);
    });
    const value = parse(body);
    if (status !== 200) {
      const why = typeof value?.['error'] === 'string' ? value['error'].slice(0, SHOWN) : 'without a reason';
      throw new RegistryError('Unreachable', `${place}: status ${status}: ${why}: check the URL and the token`, 'stop');
    }
    if (!value) throw new RegistryError('InvalidData', `${place}: did not return a JSON object: check the URL`);
    return { value, bytes: body.length };
  }

  async #fetch(url: string, sent: Sent | undefined): Promise<{ status: number; body: Buffer }> {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      redirect: 'error',
      headers: {
        accept: 'application/json',
        ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
        ...(sent && { 'content-type': sent.type }),
      },
      ...(sent && { method: 'POST', body: sent.body }),
    });
    // fetch has already decompressed the body, so `readBody` counts decompressed bytes.
    const stream = response.body ? Readable.fromWeb(response.body as ReadableStream) : Readable.from([]);
    return { status: response.status, body: await readBody(stream, undefined, MAX_ANSWER_BYTES) };
  }
}

function parse(body: Buffer): Fields | undefined {
  const value = parseJson(body.toString());
  return isFields(value) ? value : undefined;
}

function unreachable(place: string, error: unknown): RegistryError {
  if (error instanceof TooLarge) {
    const why = `${place}: returned more than ${MAX_ANSWER_BYTES} bytes: report this to its operator`;
    return new RegistryError('InvalidData', why, 'stop', { cause: error });
  }
  const { message, cause } = error as Error;
  const why = (cause as Error | undefined)?.message ?? message;
  return new RegistryError('Unreachable', `${place}: ${why}: check the URL`, 'retry', { cause: error });
}
