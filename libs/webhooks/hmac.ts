import { createHmac, timingSafeEqual } from 'node:crypto';

/** Bytes of the digests that are accepted. */
const DIGEST_BYTES = { sha256: 32, sha512: 64 } as const;

export type HmacAlgorithm = keyof typeof DIGEST_BYTES;

interface Signed {
  readonly algorithm: HmacAlgorithm;
  readonly key: Uint8Array;
  readonly body: Uint8Array;
}

/** Verifies hexadecimal digits in either case as the HMAC (RFC 2104) of a body. Returns the digest, or undefined. */
export function proveHex(digits: string | undefined, { algorithm, key, body }: Signed): string | undefined {
  if (digits?.length !== 2 * DIGEST_BYTES[algorithm] || !/^[0-9a-f]+$/i.test(digits)) return undefined;
  const expected = createHmac(algorithm, key).update(body).digest();
  return timingSafeEqual(Buffer.from(digits, 'hex'), expected) ? expected.toString('hex') : undefined;
}

/** Verifies `sha256=` and hexadecimal digits, as most forges write a signature. */
export function provePrefixed(value: string | undefined, signed: Signed): string | undefined {
  const prefix = `${signed.algorithm}=`;
  return value?.startsWith(prefix) ? proveHex(value.slice(prefix.length), signed) : undefined;
}
