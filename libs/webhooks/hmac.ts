import { createHmac, timingSafeEqual } from 'node:crypto';

/** Size in bytes of the accepted digests. */
const DIGEST_BYTES = { sha256: 32, sha512: 64 } as const;

export type HmacAlgorithm = keyof typeof DIGEST_BYTES;

interface Signed {
  readonly algorithm: HmacAlgorithm;
  readonly key: Uint8Array;
  readonly body: Uint8Array;
}

/**
 * Verifies a hexadecimal HMAC (RFC 2104) of a body, in either case. Returns the digest, or undefined if it is wrong.
 */
export function proveHex(digits: string | undefined, { algorithm, key, body }: Signed): string | undefined {
  if (digits?.length !== 2 * DIGEST_BYTES[algorithm] || !/^[0-9a-f]+$/i.test(digits)) return undefined;
  const expected = createHmac(algorithm, key).update(body).digest();
  return timingSafeEqual(Buffer.from(digits, 'hex'), expected) ? expected.toString('hex') : undefined;
}

/** Verifies a signature in the form that most forges use: `sha256=` followed by hexadecimal digits. */
export function provePrefixed(value: string | undefined, signed: Signed): string | undefined {
  const prefix = `${signed.algorithm}=`;
  return value?.startsWith(prefix) ? proveHex(value.slice(prefix.length), signed) : undefined;
}
