import type { Strategy } from 'passport-strategy';
import type { Claims } from './claims.js';
import { ProviderUnavailable, TokenRefused } from './verdict.js';
import type { Verdict } from './verdict.js';

/** What a strategy of ours is given in place of a whole request. */
export interface TokenRequest {
  readonly token: string;
}

/**
 * Passport's contract with a strategy, without the rest of passport: it calls exactly one of these on a copy of itself.
 * Passport's own chain would run the strategies over sessions and answer by itself; here a guard decides.
 */
export function runStrategy(strategy: Strategy, request: TokenRequest): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => {
      if (error instanceof ProviderUnavailable) resolve({ kind: 'unavailable', why: error.message });
      else if (error instanceof TokenRefused) resolve({ kind: 'refused', why: error.message });
      else reject(error);
    };
    const actions = {
      success: (claims: Claims) => resolve({ kind: 'accepted', claims }),
      fail,
      error: fail,
    };
    (Object.assign(Object.create(strategy), actions) as Strategy).authenticate(request as never);
  });
}
