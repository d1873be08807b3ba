import * as oauth from 'oauth4webapi';
import type { Login } from '../api/console.js';
import { words } from '../words.js';
import { session, sessionFault } from './session.js';
import { keepTraces, markSignedIn, takeTraces } from './sign-in-traces.js';

/**
 * Errors of a silent request that only mean that the provider would have to ask the user (OpenID Connect Core 3.1.2.6).
 */
const WOULD_ASK = ['login_required', 'consent_required', 'interaction_required', 'account_selection_required'];

/**
 * Redirects to the identity provider: authorization code flow with PKCE, state and nonce. `silent` tells the provider
 * not to show anything.
 */
export async function startSignIn(login: Login, how: 'visible' | 'silent'): Promise<void> {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const nonce = oauth.generateRandomNonce();
  keepTraces({ verifier, state, nonce, fragment: location.hash, isSilent: how === 'silent' });
  const target = new URL(login.authorizationEndpoint);
  const parameters = {
    ...login.parameters,
    client_id: login.clientId,
    redirect_uri: redirectUri(),
    response_type: 'code',
    scope: login.scope,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    ...(asksForIdToken(login) && { nonce }),
    ...(how === 'silent' && { prompt: 'none' }),
  };
  for (const [name, value] of Object.entries(parameters)) target.searchParams.set(name, value);
  location.assign(target);
  // The browser is leaving the page, so never return.
  await new Promise(() => undefined);
}

/**
 * Exchanges the authorization code in the URL for a token, which is kept in memory. The code is removed from the URL
 * first.
 */
export async function finishSignIn(login: Login): Promise<void> {
  const answer = new URL(location.href);
  const traces = takeTraces();
  history.replaceState(null, '', `${location.pathname}${traces?.fragment ?? ''}`);
  if (!traces) throw new Error(words.signIn.wrongState);
  const provider = toProvider(login);
  const client: oauth.Client = { client_id: login.clientId };
  try {
    const parameters = oauth.validateAuthResponse(provider, client, answer, traces.state);
    const response = await oauth.authorizationCodeGrantRequest(
      provider,
      client,
      oauth.None(),
      parameters,
      redirectUri(),
      traces.verifier,
      { [oauth.allowInsecureRequests]: isPlainHttp(login) },
    );
    const expected = asksForIdToken(login) ? { expectedNonce: traces.nonce, requireIdToken: true } : {};
    const tokens = await oauth.processAuthorizationCodeResponse(provider, client, response, expected);
    adopt(tokens);
  } catch (error) {
    markSignedIn(false);
    if (error instanceof oauth.AuthorizationResponseError && traces.isSilent && WOULD_ASK.includes(error.error)) return;
    throw toReadable(error);
  }
}

function adopt({ access_token: token, expires_in: seconds }: oauth.TokenEndpointResponse): void {
  session.set({ token, ...(seconds !== undefined && { expiresAtMs: Date.now() + seconds * 1000 }) });
  sessionFault.set(undefined);
  markSignedIn(true);
}

/** Returns the URL of the page without query and fragment. */
const redirectUri = (): string => `${location.origin}${location.pathname}`;

const asksForIdToken = ({ scope }: Login): boolean => scope.split(' ').includes('openid');

const isPlainHttp = ({ tokenEndpoint }: Login): boolean => new URL(tokenEndpoint).protocol === 'http:';

/**
 * Returns the provider metadata that the server has discovered. The ID token comes directly from the token endpoint, so
 * its signature is not checked (OpenID Connect Core 3.1.3.7, step 6) and every algorithm is accepted.
 */
function toProvider({ issuer, authorizationEndpoint, tokenEndpoint }: Login): oauth.AuthorizationServer {
  return {
    issuer,
    authorization_endpoint: authorizationEndpoint,
    token_endpoint: tokenEndpoint,
    id_token_signing_alg_values_supported: [
      'RS256',
      'RS384',
      'RS512',
      'PS256',
      'PS384',
      'PS512',
      'ES256',
      'ES384',
      'ES512',
      'EdDSA',
      'Ed25519',
    ],
  };
}

function toReadable(error: unknown): Error {
  if (error instanceof oauth.AuthorizationResponseError || error instanceof oauth.ResponseBodyError) {
    return new Error(error.error_description ?? error.error);
  }
  if (error instanceof TypeError) return new Error(words.signIn.unavailable);
  return error instanceof Error ? error : new Error(String(error));
}
