import { edwardsJwtProvider } from './edwards-jwt.provider.js';
import { introspectionProvider } from './introspection.provider.js';
import { jwtProvider } from './jwt.provider.js';
import type { TokenProvider } from '../token-provider.js';

/** The kinds of tokens, in no particular order: each token is of one kind. */
export const tokenProviders: readonly TokenProvider[] = [jwtProvider, edwardsJwtProvider, introspectionProvider];
