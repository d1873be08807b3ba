import { TokenRefused } from './verdict.js';

/** Maximum clock skew that is tolerated. */
export const LEEWAY_SECONDS = 30;

/**
 * Rejects a token outside its validity period: `exp`, `nbf` and `iat`, in seconds since 1970, are each checked if
 * present.
 */
export function demandCurrent(
  { exp, nbf, iat }: Readonly<Record<string, unknown>>,
  nowSeconds: number = Date.now() / 1000,
): void {
  if (exp !== undefined && !(typeof exp === 'number' && exp + LEEWAY_SECONDS > nowSeconds)) {
    throw new TokenRefused('time', 'it has expired');
  }
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf - LEEWAY_SECONDS <= nowSeconds)) {
    throw new TokenRefused('time', 'it is not valid yet');
  }
  if (iat !== undefined && typeof iat !== 'number') throw new TokenRefused('time', 'its iat is not a number');
}
