import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { RegistryError } from '#domain/registry-error.js';
import { isFields } from '#domain/fields.js';
import type { Fields } from '#domain/fields.js';
import { TooLarge } from '#http/http-failure.js';
import { readBody } from '#http/read-body.js';

const REQUEST_TIMEOUT_MS = 30_000;
/** Bytes of one answer: more than the largest page of a registry of ours. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** Characters of a refusal that are shown. */
const SHOWN = 2000;

/** A body to be sent. */
interface Sent {
  readonly body: string;
  readonly type: string;
}

/** Reads a registry over HTTP, for commands. The token goes to the address that was named, and nowhere else. */
export class RegistryClient {
  readonly #base: string;
  readonly #token: string | undefined;

  constructor(base: string, token: string | undefined) {
    this.#base = base.replace(/\/+$/, '');
    this.#token = token;
  }

  /** Throws a RegistryError for a registry that cannot be reached, refuses, or answers anything but a JSON object. */
  get(path: string): Promise<{ readonly value: Fields; readonly bytes: number }> {
    return this.#ask(path);
  }

  /** As `get`. */
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
      throw new RegistryError(
        'Unreachable',
        `${place}: answered ${status}: ${why}: check the address and the token`,
        'stop',
      );
    }
    if (!value)
      throw new RegistryError('InvalidData', `${place}: did not answer with a JSON object: check the address`);
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
    // Unpacked by fetch already; `readBody` counts what comes out.
    const stream = response.body ? Readable.fromWeb(response.body as ReadableStream) : Readable.from([]);
    return { status: response.status, body: await readBody(stream, undefined, MAX_ANSWER_BYTES) };
  }
}

function parse(body: Buffer): Fields | undefined {
  try {
    const value: unknown = JSON.parse(body.toString());
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function unreachable(place: string, error: unknown): RegistryError {
  if (error instanceof TooLarge) {
    const why = `${place}: answered with more than ${MAX_ANSWER_BYTES} bytes: report it there`;
    return new RegistryError('InvalidData', why, 'stop', { cause: error });
  }
  const { message, cause } = error as Error;
  const why = (cause as Error | undefined)?.message ?? message;
  return new RegistryError('Unreachable', `${place}: ${why}: check the address`, 'retry', { cause: error });
}
