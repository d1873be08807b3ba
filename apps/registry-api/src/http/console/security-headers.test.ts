import { expect, it } from 'vitest';
import type { OAuthProvider } from '#identity/provider-spec.js';
import type { ProviderHttp } from '#identity/provider-http.js';
import { securityHeaders } from './security-headers.js';
import { Discovery } from '../../auth/discovery.js';

const ISSUER = 'https://issuer.example';
const spec = { name: 'p', issuerUrl: ISSUER, audience: 'a' } as OAuthProvider;

function discoveryOf(tokenEndpoint: string): Discovery {
  const document = { issuer: ISSUER, authorization_endpoint: `${ISSUER}/authorize`, token_endpoint: tokenEndpoint };
  const http = { getJson: () => Promise.resolve(document) } as Partial<ProviderHttp> as ProviderHttp;
  return new Discovery(spec, http, () => 0);
}

it.each([
  'https://*.example/token',
  'https://*/token',
  'https://a;script-src/token',
  'https://a;sandbox;x/token',
  'https://a,b/token',
  "https://'self'/token",
  'https://a$b/token',
  'https://user:secret@login.example/token',
  'http://login.example/token',
  'javascript:alert(1)',
  'login.example/token',
])('rejects a token endpoint whose host has another meaning in a policy: %s', async (endpoint) => {
  await expect(discoveryOf(endpoint).loginEndpoints()).rejects.toThrow('no usable token_endpoint');
});

it.each([
  ['https://login.example/token', 'https://login.example'],
  ['https://login_2.example.:8443/token?x=;y', 'https://login_2.example.:8443'],
  ['https://xn--bcher-kva.example/', 'https://xn--bcher-kva.example'],
  ['https://b\u00fccher.example/', 'https://xn--bcher-kva.example'],
  ['https://10.1.2.3/token', 'https://10.1.2.3'],
  ['https://[2001:db8::1]/token', 'https://[2001:db8::1]'],
])('lets the console connect to the origin of %s', async (endpoint, origin) => {
  const { tokenEndpoint } = await discoveryOf(endpoint).loginEndpoints();
  const policy = securityHeaders(tokenEndpoint)['content-security-policy'];
  expect(policy).toContain(`connect-src 'self' ${origin}; base-uri`);
});
