/**
 * A real OpenID provider in a separate process: client credentials, introspection, signed and opaque tokens. Its keys
 * come from the parent process and can be replaced. It counts requests.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';
import type { ClientMetadata, JWKS, SigningAlgorithmWithNone } from 'oidc-provider';
import type { ProviderCommand, ProviderReply } from './oidc-provider.js';

const AUDIENCE = 'registry-server';
const SECRET = 'a secret: with colon, % & more';

let answer: RequestListener = (_, response) => void response.writeHead(503).end();
let isAway = false;
let jwks: JWKS = { keys: [] };
/** Redirect URIs of the console's public client, which is registered when its URL is known. */
let redirectUris: readonly string[] = [];
let tokenSeconds = 600;
const counts = new Map<string, number>();

const server = createServer((request, response) => {
  const path = (request.url ?? '').split('?')[0] ?? '';
  counts.set(path, (counts.get(path) ?? 0) + 1);
  if (isAway) request.socket.destroy();
  else answer(request, response);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

/**
 * Creates the provider. Tokens for `urn:registry:opaque` are opaque and can be read only by it. Other tokens are JWTs,
 * signed with the algorithm at the end of the resource.
 */
function createProvider(): RequestListener {
  const credentials = {
    client_secret: SECRET,
    redirect_uris: [],
    response_types: [],
    id_token_signed_response_alg: jwks.keys[0]?.alg as SigningAlgorithmWithNone,
  };
  const provider = new Provider(issuer, {
    jwks,
    clients: [
      { client_id: 'editor:1', grant_types: ['client_credentials'], ...credentials },
      { client_id: 'registry', grant_types: [], ...credentials },
      ...(redirectUris.length === 0 ? [] : [consoleClient()]),
    ],
    // Browsers may exchange codes for tokens from any page, because the client has no secret.
    clientBasedCORS: () => true,
    features: {
      devInteractions: { enabled: true },
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: async () => true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: async () => true,
        getResourceServerInfo: async (_ctx, resource) => {
          const [format = '', audience = AUDIENCE] = resource.replace('urn:registry:', '').split('/');
          const common = { scope: 'mcp-registry:read mcp-registry:write', audience, accessTokenTTL: tokenSeconds };
          if (format === 'opaque') return { ...common, accessTokenFormat: 'opaque' };
          const sign = { alg: format as Exclude<SigningAlgorithmWithNone, 'none' | 'HS256' | 'HS384' | 'HS512'> };
          return { ...common, accessTokenFormat: 'jwt', jwt: { sign } };
        },
      },
    },
    enabledJWA: {
      idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'],
    },
  });
  return provider.callback();
}

/**
 * Returns the client metadata for a page in a browser. The page has no secret and proves with PKCE that a code is its
 * own.
 */
function consoleClient(): ClientMetadata {
  return {
    client_id: 'console',
    token_endpoint_auth_method: 'none',
    application_type: 'web',
    grant_types: ['authorization_code'],
    response_types: ['code'],
    redirect_uris: [...redirectUris],
    id_token_signed_response_alg: jwks.keys[0]?.alg as SigningAlgorithmWithNone,
  };
}

process.on('message', (command: ProviderCommand) => {
  if (command.kind === 'keys') {
    ({ jwks } = command);
    answer = createProvider();
  }
  if (command.kind === 'console') {
    ({ redirectUris, tokenSeconds } = command);
    answer = createProvider();
  }
  if (command.kind === 'away') isAway = command.away;
  process.send?.({
    id: command.id,
    issuer,
    secret: SECRET,
    counts: Object.fromEntries(counts),
  } satisfies ProviderReply);
});
process.on('disconnect', () => process.exit());
process.send?.({ id: 0, issuer, secret: SECRET, counts: {} } satisfies ProviderReply);
