import { Problem } from './problem.js';

/**
 * Returns the bytes of a body. JSON bodies are kept as bytes, so that published documents keep their own spelling and
 * order; see `http-server.ts`.
 */
export function bytesOf(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  throw new Problem(415, 'the body must be JSON: send it with content-type application/json');
}

/** Parses a body; throws a Problem if it is not JSON in UTF-8. */
export function parseJsonBody(body: unknown): unknown {
  const bytes = bytesOf(body);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Problem(400, 'the body is not JSON in UTF-8');
  }
}
