import { introspectionProvider } from './introspection.provider.js';
import { jwtProvider } from './jwt.provider.js';
import type { TokenProvider } from './token-provider.js';

export const tokenProviders: readonly TokenProvider[] = [jwtProvider, introspectionProvider];
