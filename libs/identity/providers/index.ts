import { edwardsJwtProvider } from './edwards-jwt.provider.js';
import { introspectionProvider } from './introspection.provider.js';
import { jwtProvider } from './jwt.provider.js';
import type { TokenProvider } from '../token-provider.js';

/** The kinds of tokens. Their order does not matter, because each token is of exactly one kind. */
export const tokenProviders: readonly TokenProvider[] = [jwtProvider, edwardsJwtProvider, introspectionProvider];
