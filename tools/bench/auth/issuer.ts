import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

export const AUDIENCE = 'bench';

/** A minimal token provider: its keys, and the number of requests for them. */
export interface Issuer extends AsyncDisposable {
  readonly url: string;
  readonly jwksUrl: string;
  keyRequests(): number;
  /** Returns different tokens, signed with RS256 like those of most providers. */
  tokens(count: number): Promise<string[]>;
  /** Returns tokens signed by another issuer, each with a different unknown key. */
  strangers(count: number): Promise<string[]>;
}

export async function startIssuer(): Promise<Issuer> {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const stranger = await generateKeyPair('ES256');
  const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'bench', alg: 'RS256', use: 'sig' }] });
  let requests = 0;
  const server = createServer((_, response) => {
    requests++;
    response.end(keys);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sign = (alg: string, kid: string, subject: string, key: typeof privateKey) =>
    new SignJWT({ scope: 'mcp-registry:read', name: 'A reader of the registry', groups: ['readers', 'bench'] })
      .setProtectedHeader({ alg, kid, typ: 'at+jwt' })
      .setIssuer(url)
      .setAudience(AUDIENCE)
      .setSubject(subject)
      .setExpirationTime('1h')
      .sign(key);
  const many = (count: number, make: (at: number) => Promise<string>) =>
    Promise.all(Array.from({ length: count }, (_, at) => make(at)));
  return {
    url,
    jwksUrl: `${url}/jwks`,
    keyRequests: () => requests,
    tokens: (count) => many(count, (at) => sign('RS256', 'bench', `reader-${at}`, privateKey)),
    strangers: (count) => many(count, (at) => sign('ES256', `unknown-${at}`, 'stranger', stranger.privateKey)),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}
