import { createHmac, randomBytes, webcrypto } from 'node:crypto';
import { exportJWK, exportSPKI } from 'jose';
import { AUDIENCE, createKey } from './oidc-provider.js';
import type { OidcProvider, ProviderKey } from './oidc-provider.js';

/**
 * The expected error of a challenge. `none` is a challenge without an error, because the request had no credentials.
 */
type Challenge = 'invalid_token' | 'invalid_request' | 'none';

export interface HostileRequest {
  readonly name: string;
  readonly path?: string;
  /** Alternating names and values, as sent over the wire. */
  readonly headers: readonly string[];
  readonly status: number;
  /** Absent if the response is not a refusal by a guard. */
  readonly challenge?: Challenge;
  /** Whether the provider has to introspect the token, because only the provider can know. */
  readonly introspected?: true;
}

export interface HostileWorld {
  /** A provider with an RS256, PS256, ES256 and EdDSA key. The id of each key is its algorithm. */
  readonly provider: OidcProvider;
  readonly other: OidcProvider;
  /** URL of a server that no request must ever reach. */
  readonly trap: string;
}

const DAY = 86_400;
const now = () => Math.floor(Date.now() / 1000);

/**
 * Returns requests that must all be refused. They are created again for each run, by generators if there are many of a
 * kind.
 */
export async function hostileRequests(world: HostileWorld): Promise<HostileRequest[]> {
  const groups = [
    await wrongClaims(world),
    await otherKindsOfTokens(world),
    await wrongAlgorithms(world),
    await wrongKeys(world),
    await wrongHeaderParameters(world),
    await tamperedTokens(world),
    await doubledNames(world),
    await opaqueTokens(world),
    await wrongHeaders(world),
    await misplacedTokens(world),
    pathTricks(),
  ];
  return groups.flat();
}

function refusedToken(name: string, token: string): HostileRequest {
  return { name, headers: ['Authorization', `Bearer ${token}`], status: 401, challenge: 'invalid_token' };
}

/** Tokens that the provider could have signed, but for another audience or time. */
async function wrongClaims({ provider, other }: HostileWorld): Promise<HostileRequest[]> {
  const { issuer } = provider;
  const values: Record<string, readonly unknown[]> = {
    aud: [
      undefined,
      null,
      '',
      ' ',
      'other',
      AUDIENCE.slice(0, -1),
      `${AUDIENCE}x`,
      ` ${AUDIENCE}`,
      AUDIENCE.toUpperCase(),
      `${AUDIENCE},other`,
      [],
      ['other'],
      ['other', `${AUDIENCE}/`],
      [[AUDIENCE]],
      [AUDIENCE, 7],
      { [AUDIENCE]: true },
      7,
      true,
    ],
    iss: [
      undefined,
      null,
      '',
      issuer.slice(0, -1),
      `${issuer}/`,
      `${issuer}.example.com`,
      `${issuer}@example.com`,
      `${issuer}?`,
      `${issuer}#`,
      ` ${issuer}`,
      issuer.toUpperCase(),
      issuer.replace('http://', 'https://'),
      issuer.replace('127.0.0.1', 'localhost'),
      other.issuer,
      [issuer],
      { issuer },
      7,
      'https://example.com',
    ],
    exp: [
      undefined,
      null,
      '',
      0,
      -1,
      now() - 31,
      now() - DAY,
      now() - 31.5,
      String(now() + DAY),
      [now() + DAY],
      true,
      {},
    ],
    nbf: [null, '', now() + 3600, now() + DAY, now() + DAY + 0.5, String(now()), [now()], true, {}],
    iat: ['', String(now()), [now()], true, {}],
  };
  return Promise.all(
    Object.entries(values).flatMap(([claim, wrong]) =>
      wrong.map(async (value) =>
        refusedToken(
          `claim ${claim} is ${value === undefined ? 'missing' : JSON.stringify(value)}`,
          await provider.sign({ [claim]: value }),
        ),
      ),
    ),
  );
}

/** Tokens that the provider signs correctly, with the right audience, but for a purpose other than access. */
async function otherKindsOfTokens({ provider }: HostileWorld): Promise<HostileRequest[]> {
  const types = [
    'logout+jwt',
    'dpop+jwt',
    'secevent+jwt',
    'token-introspection+jwt',
    'application/secevent+jwt',
    'oauth-authz-req+jwt',
    'client-authentication+jwt',
    'entity-statement+jwt',
    'id+jwt',
    'refresh',
    'JOSE',
    'x',
    '',
    ' at+jwt',
    'at+jwtx',
    'AT',
    null,
    7,
    ['at+jwt'],
    { typ: 'at+jwt' },
  ];
  const claims: Record<string, readonly unknown[]> = {
    nonce: ['n', '', 7, false],
    at_hash: ['x'],
    c_hash: ['x'],
    s_hash: ['x'],
    events: [{ 'http://schemas.openid.net/event/backchannel-logout': {} }, {}, []],
    cnf: [{ jkt: 'x' }, { 'x5t#S256': 'x' }, { jwk: {} }, {}, 'x'],
    typ: ['ID', 'Refresh', 'Offline', 'Logout', 'DPoP', 'id', '', 7, ['Bearer'], {}],
    token_use: ['id', 'refresh', 'ID', true],
    token_type: ['DPoP', 'refresh_token', 'id_token', 7],
    tokenType: ['refresh-token', 'id-token'],
  };
  const typed = types.map(async (typ) =>
    refusedToken(`a header of type ${JSON.stringify(typ)}`, await provider.sign({}, { typ })),
  );
  const claimed = Object.entries(claims).flatMap(([name, values]) =>
    values.map(async (value) =>
      refusedToken(`a token with ${name} ${JSON.stringify(value)}`, await provider.sign({ [name]: value })),
    ),
  );
  return Promise.all([...typed, ...claimed]);
}

async function wrongAlgorithms({ provider }: HostileWorld): Promise<HostileRequest[]> {
  const payload = payloadOf(provider);
  const key = keyOf(provider, 'RS256');
  const unsigned = ['none', 'None', 'NONE', 'nOnE', '', ' none'].flatMap((alg) =>
    ['', 'AAAA', randomBytes(64).toString('base64url')].map((signature) =>
      refusedToken(
        `alg "${alg}" with ${signature.length} characters of signature`,
        compact({ alg, kid: 'RS256' }, payload, signature),
      ),
    ),
  );
  const jwk = await exportJWK(key.publicKey);
  const pem = await exportSPKI(key.publicKey);
  const secrets: Record<string, string | Buffer> = {
    'the public key as PEM': pem,
    'the public key as PEM without its last line end': pem.trim(),
    'the public key as JWK': JSON.stringify(jwk),
    'the modulus': Buffer.from(jwk.n ?? '', 'base64url'),
    'the modulus as text': jwk.n ?? '',
    nothing: '',
    'a guess': 'secret',
  };
  const symmetric = ['HS256', 'HS384', 'HS512'].flatMap((alg) =>
    Object.entries(secrets).map(([what, secret]) => {
      const signed = `${encode({ alg, kid: 'RS256' })}.${encode(payload)}`;
      const signature = createHmac(`sha${alg.slice(2)}`, secret)
        .update(signed)
        .digest('base64url');
      return refusedToken(`${alg} with ${what} as secret`, `${signed}.${signature}`);
    }),
  );
  const odd = [
    undefined,
    null,
    7,
    [],
    ['RS256'],
    {},
    'RS1',
    'RSA',
    'ES256K',
    'rs256',
    'RS256 ',
    'A256GCM',
    'dir',
    'RS256\0',
    'Ed448',
  ];
  const unknown = await Promise.all(
    odd.map(async (alg) =>
      refusedToken(
        `alg is ${JSON.stringify(alg) ?? 'missing'}`,
        await signText(key, JSON.stringify({ alg, kid: 'RS256' }), JSON.stringify(payload)),
      ),
    ),
  );
  const pairs = provider.keys.flatMap((signer) =>
    provider.keys.filter((claimed) => claimed !== signer).map((claimed) => ({ signer, claimed })),
  );
  const mixed = await Promise.all(
    pairs.map(async ({ signer, claimed }) => {
      const token = await signText(
        signer,
        JSON.stringify({ alg: claimed.alg, kid: signer.kid }),
        JSON.stringify(payload),
      );
      return refusedToken(`a key for ${signer.alg} is used as one for ${claimed.alg}`, token);
    }),
  );
  return [...unsigned, ...symmetric, ...unknown, ...mixed];
}

async function wrongKeys({ provider, other }: HostileWorld): Promise<HostileRequest[]> {
  const ids = [
    undefined,
    null,
    '',
    7,
    [],
    ['RS256'],
    { kid: 'RS256' },
    'unknown',
    'rs256',
    'RS256 ',
    'RS256\0',
    '../../../../../../dev/null',
    '/dev/null',
    'file:///etc/passwd',
    'http://169.254.169.254/latest/meta-data',
    "RS256' OR '1'='1",
    '"; DROP TABLE entry; --',
    '$(id)',
    '__proto__',
    'constructor',
    'toString',
    'length',
    '0',
    'k'.repeat(4_000),
    '\u202eRS256',
  ];
  const named = ids.map(async (kid) =>
    refusedToken(`kid is ${(JSON.stringify(kid) ?? 'missing').slice(0, 60)}`, await provider.sign({}, { kid })),
  );
  const forged = provider.keys.map(async ({ alg, kid }) =>
    refusedToken(
      `signed with a key of its own in the name of ${kid}`,
      await provider.sign({}, {}, await createKey(alg, kid)),
    ),
  );
  const borrowed = other.keys.map(async (key) =>
    refusedToken(`signed with ${key.kid} of another provider`, await provider.sign({}, {}, key)),
  );
  return Promise.all([...named, ...forged, ...borrowed]);
}

/** Header parameters that offer another source for the key, or that change how the token is to be read. */
async function wrongHeaderParameters({ provider, trap }: HostileWorld): Promise<HostileRequest[]> {
  const payload = JSON.stringify(payloadOf(provider));
  const own = await createKey('RS256', 'evil');
  const jwk = { ...(await exportJWK(own.publicKey)), kid: 'evil' };
  const sources = { jku: `${trap}/jwks`, x5u: `${trap}/cert`, jwk, x5c: ['MIIB'], 'x5t#S256': 'AAAA' };
  const pointing = Object.entries(sources).flatMap(([name, value]) =>
    ['evil', 'RS256', undefined].map(async (kid) => {
      const token = await signText(own, JSON.stringify({ alg: 'RS256', kid, [name]: value }), payload);
      return refusedToken(`${name} beside kid ${kid}`, token);
    }),
  );
  const extensions = [
    { crit: ['exp'], exp: 1 },
    { crit: ['b64'], b64: false },
    { b64: false },
    { crit: [] },
    { crit: ['http://example.com/unknown'], 'http://example.com/unknown': true },
    { crit: 'exp' },
  ].map(async (extra) => {
    const token = await signText(
      keyOf(provider, 'RS256'),
      JSON.stringify({ alg: 'RS256', kid: 'RS256', ...extra }),
      payload,
    );
    return refusedToken(`header with ${JSON.stringify(extra)}`, token);
  });
  return Promise.all([...pointing, ...extensions]);
}

async function tamperedTokens({ provider }: HostileWorld): Promise<HostileRequest[]> {
  const key = keyOf(provider, 'RS256');
  const token = await provider.sign();
  const [header = '', payload = '', signature = ''] = token.split('.');
  const shapes: Record<string, string> = {
    'its header alone': header,
    'its header and a dot': `${header}.`,
    'without a signature': `${header}.${payload}`,
    'with an empty signature': `${header}.${payload}.`,
    'without a payload': `${header}..${signature}`,
    'with four parts': `${token}.${signature}`,
    'with five parts, like an encrypted one': `${token}.AAAA.AAAA`,
    'with its parts in another order': `${payload}.${header}.${signature}`,
    'with its signature cut': token.slice(0, -20),
    'with more signature': `${token}AAAA`,
    'with its signature doubled': `${token}${signature}`,
    'with padding': `${token}==`,
    'in base64 with other signs': `${header}.${payload}.${signature.replaceAll('-', '+').replaceAll('_', '/')}/+`,
    'inside another one': compact({ alg: 'RS256', kid: 'RS256', cty: 'JWT' }, token, signature),
  };
  const flips = [header, payload, signature].flatMap((part, index) =>
    Array.from({ length: 8 }, (_, step) => {
      const at = Math.floor(((part.length - 2) * step) / 8) + 1;
      const flipped = `${part.slice(0, at)}${part[at] === 'A' ? 'B' : 'A'}${part.slice(at + 1)}`;
      const parts = [header, payload, signature].map((each, other) => (other === index ? flipped : each));
      return refusedToken(`character ${at} of part ${index} changed`, parts.join('.'));
    }),
  );
  const texts = [
    '',
    ' ',
    'null',
    'true',
    '7',
    '"text"',
    '[]',
    '{',
    '{"iss":',
    '\ufeff{}',
    '{}',
    token,
    '{"iss":1e999}',
    '\0',
  ];
  const bodies = await Promise.all(
    texts.map(async (text) =>
      refusedToken(
        `a signed payload of ${JSON.stringify(text.slice(0, 20))}`,
        await signText(key, JSON.stringify({ alg: 'RS256', kid: 'RS256' }), text),
      ),
    ),
  );
  const heads = ['', ' ', 'null', '[]', '"RS256"', '{', '{}', '{"alg":"RS256"'].map((text) => ({
    ...refusedToken(`a header of ${JSON.stringify(text)}`, `${encodeText(text) || 'e30'}.${payload}.${signature}`),
  }));
  return [
    ...Object.entries(shapes).map(([what, shape]) => refusedToken(`a token ${what}`, shape)),
    ...flips,
    ...bodies,
    ...heads.filter(({ headers }) => /Bearer ey/.test(headers[1] ?? '')),
  ];
}

/** Tokens signed by the provider that two parsers could read differently. */
async function doubledNames({ provider }: HostileWorld): Promise<HostileRequest[]> {
  const key = keyOf(provider, 'RS256');
  const payload = JSON.stringify(payloadOf(provider));
  const header = JSON.stringify({ alg: 'RS256', kid: 'RS256' });
  const more = (text: string, addition: string) => `{${addition},${text.slice(1)}`;
  const claims = [
    '"iss":"https://example.com"',
    '"aud":"other"',
    '"exp":1',
    '"sub":"admin"',
    '"\\u0073ub":"admin"',
    '"scope":"a","scope":"b"',
    '"act":{"sub":"a","sub":"b"}',
    '"list":[{"a":1,"a":2}]',
  ].map(async (addition) =>
    refusedToken(`claims with ${addition} as well`, await signText(key, header, more(payload, addition))),
  );
  const parameters = [
    '"alg":"none"',
    '"alg":"HS256"',
    '"kid":"other"',
    '"typ":"a","typ":"b"',
    '"\\u0061lg":"none"',
  ].map(async (addition) =>
    refusedToken(`a header with ${addition} as well`, await signText(key, more(header, addition), payload)),
  );
  return Promise.all([...claims, ...parameters]);
}

async function opaqueTokens({ provider, other }: HostileWorld): Promise<HostileRequest[]> {
  const genuine = await provider.issue('opaque');
  const tokens: Record<string, string> = {
    'made up': randomBytes(32).toString('base64url'),
    'too short': 'x',
    'of another provider': await other.issue('opaque'),
    'for another audience': await provider.issue('opaque', { audience: 'other' }),
    'with its case changed': genuine === genuine.toUpperCase() ? genuine.toLowerCase() : genuine.toUpperCase(),
    'with something behind it': `${genuine}x`,
    'with dots in it': `a.${genuine}.b`,
  };
  return Object.entries(tokens).map(([what, token]) => ({
    ...refusedToken(`an opaque token ${what}`, token),
    introspected: true as const,
  }));
}

/** A valid token, sent in an invalid way. */
async function wrongHeaders({ provider }: HostileWorld): Promise<HostileRequest[]> {
  const token = await provider.sign();
  const malformed = [
    'Bearer',
    'Bearer ',
    'Bearer\t' + token,
    `Bearer ${token} x`,
    `Bearer ${token},x`,
    `Bearer ${token}, Bearer ${token}`,
    `Bearer "${token}"`,
    `Bearer <${token}>`,
    `Bearer token=${token}&x`,
    `Bearer Bearer ${token}`,
    `Bearer ${token};`,
    `Bearer ${token}\u00e9`,
    `Bearer ${encodeURIComponent(token)}%00`,
    `Bearer ${'x'.repeat(13_000)}`,
    'Bearer ====',
  ].map((value): HostileRequest => ({
    name: `Authorization: ${value.replace(token, 'TOKEN').slice(0, 60)}`,
    headers: ['Authorization', value],
    status: 401,
    challenge: 'invalid_request',
  }));
  const otherSchemes = [
    `Basic ${Buffer.from(`token:${token}`).toString('base64')}`,
    `Digest ${token}`,
    `Token ${token}`,
    `JWT ${token}`,
    `DPoP ${token}`,
    `BearerX ${token}`,
    `Bearer=${token}`,
    `Bearer:${token}`,
    `"Bearer" ${token}`,
    token,
    '',
  ].map((value): HostileRequest => ({
    name: `Authorization: ${value.replace(token, 'TOKEN').slice(0, 60)}`,
    headers: ['Authorization', value],
    status: 401,
    challenge: 'none',
  }));
  const twice = [
    [`Bearer ${token}`, `Bearer ${token}`],
    [`Bearer ${token}`, 'Bearer x'],
    ['Bearer x', `Bearer ${token}`],
    [`Bearer ${token}`, 'Basic eDp5'],
    ['Basic eDp5', `Bearer ${token}`],
    [`Bearer ${token}`, ''],
  ].map(([one = '', two = '']): HostileRequest => ({
    name: `two headers: ${one.replace(token, 'TOKEN')} and ${two.replace(token, 'TOKEN')}`,
    headers: ['Authorization', one, 'authorization', two],
    status: 401,
    challenge: 'invalid_request',
  }));
  const huge: HostileRequest = {
    name: 'a token that is larger than all headers may be',
    headers: ['Authorization', `Bearer ${'x'.repeat(40_000)}`],
    status: 431,
  };
  return [...malformed, ...otherSchemes, ...twice, huge];
}

/** A valid token in a place where no token is expected, and headers that change a request elsewhere. */
async function misplacedTokens({ provider }: HostileWorld): Promise<HostileRequest[]> {
  const token = await provider.sign();
  const queries = ['access_token', 'token', 'bearer_token', 'authorization', 'jwt', 'id_token'];
  const inHeaders = {
    Cookie: `access_token=${token}; Authorization=Bearer ${token}`,
    'Proxy-Authorization': `Bearer ${token}`,
    'X-Authorization': `Bearer ${token}`,
    'X-Access-Token': token,
    'X-Forwarded-Access-Token': token,
    'X-Original-Authorization': `Bearer ${token}`,
    'X-Auth-Request-User': 'admin',
    'X-Forwarded-User': 'admin',
    'X-Remote-User': 'admin',
    'Sec-WebSocket-Protocol': `bearer, ${token}`,
    'X-Original-URL': '/health',
    'X-Rewrite-URL': '/health',
    'X-Forwarded-Uri': '/health',
    'X-Forwarded-For': '127.0.0.1',
    'X-HTTP-Method-Override': 'OPTIONS',
    Forwarded: 'for=127.0.0.1;host=localhost',
    'Impersonate-User': 'admin',
  };
  const refused = (name: string, headers: readonly string[], path?: string): HostileRequest => ({
    name,
    headers,
    status: 401,
    challenge: 'none',
    ...(path !== undefined && { path }),
  });
  return [
    ...queries.map((query) => refused(`a token as ${query} in the query`, [], `/v0.1/servers?${query}=${token}`)),
    ...Object.entries(inHeaders).map(([name, value]) => refused(`header ${name}`, [name, value])),
  ];
}

/** Spellings of a guarded path that could be mistaken for a public one. */
function pathTricks(): HostileRequest[] {
  const guarded: Record<string, number> = {
    '/v0.1/servers': 401,
    '/v0/servers': 401,
    '/registry/v0.1/servers': 401,
    '/registry/inner/v0.1/servers': 401,
    '/registry/nowhere/v0.1/servers': 401,
    '/registry/%69nner/v0.1/servers': 401,
    '/default/guarded/v0.1/servers': 401,
    '/v0.1/servers?path=/health': 401,
    '/v0.1/servers?limit=wrong': 401,
    '/v0.1/servers/io.inner%2Fone/versions': 401,
    '/v0.1/servers/io.inner/one/versions/latest': 401,
    '/v0.1/servers/..%2f..%2fhealth/versions': 401,
    '/v0.1/servers/health/versions': 401,
    '/%76%30%2e%31/servers': 401,
    '/v0%2E1/servers': 401,
    '/registry/..%2fhealth/v0.1/servers': 401,
    '/v1/sources': 401,
    '/v1/registries': 401,
    '/extension/v0/registries': 401,
    '/v0.1/servers/': 308,
    '/V0.1/servers': 404,
    '/v0.1/SERVERS': 404,
    '//v0.1/servers': 308,
    '/v0.1//servers': 308,
    '/v0.1%2Fservers': 404,
    '/./v0.1/servers': 404,
    '/health/../v0.1/servers': 404,
    '/health/%2e%2e/v0.1/servers': 404,
    '/health%2f..%2fv0.1/servers': 404,
    '/health/..%2fv0.1/servers': 404,
    '/health/..;/v0.1/servers': 404,
    '/health;/../v0.1/servers': 404,
    '/health%00/v0.1/servers': 404,
    '/readiness/../v0.1/servers': 404,
    '/version/../v0.1/servers': 404,
    '/openapi.json/../v0.1/servers': 404,
    '/.well-known/../v0.1/servers': 404,
    '/.well-known/oauth-protected-resource/../../v0.1/servers': 404,
    '/.well-known/oauth-protected-resource/%2e%2e/%2e%2e/v0.1/servers': 404,
    '/.well-known/oauth-protected-resource/..%2f..%2fv0.1/servers': 404,
    '/.well-known/openid-configuration': 404,
    '/v0.1/servers%00': 404,
    '/v0.1/servers%3F': 404,
    '/v0.1/servers;x': 404,
    '/healthcheck': 404,
    '/HEALTH': 404,
    '/\\v0.1\\servers': 404,
    '/v0.1/servers/%': 400,
    '/%ff/v0.1/servers': 400,
  };
  return Object.entries(guarded).map(([path, status]) => ({
    name: `path ${path}`,
    path,
    headers: [],
    status,
    ...(status === 401 && { challenge: 'none' as const }),
  }));
}

function keyOf({ keys }: OidcProvider, alg: string): ProviderKey {
  return keys.find((key) => key.alg === alg) as ProviderKey;
}

function payloadOf({ issuer }: OidcProvider): object {
  return { iss: issuer, aud: AUDIENCE, sub: 'editor', exp: now() + 600 };
}

const encodeText = (text: string) => Buffer.from(text).toString('base64url');

const encode = (value: unknown) => encodeText(typeof value === 'string' ? value : JSON.stringify(value));

function compact(header: object, payload: unknown, signature: string): string {
  return `${encode(header)}.${encode(payload)}.${signature}`;
}

const SIGNATURES: Readonly<Record<string, Parameters<typeof webcrypto.subtle.sign>[0]>> = {
  RS256: 'RSASSA-PKCS1-v1_5',
  PS256: { name: 'RSA-PSS', saltLength: 32 },
  ES256: { name: 'ECDSA', hash: 'SHA-256' },
  EdDSA: 'Ed25519',
};

/** Creates a valid signature of arbitrary strings, which no library would sign. */
async function signText({ alg, privateKey }: ProviderKey, header: string, payload: string): Promise<string> {
  const signed = `${encodeText(header)}.${encodeText(payload)}`;
  const signature = await webcrypto.subtle.sign(SIGNATURES[alg] ?? '', privateKey, Buffer.from(signed));
  return `${signed}.${Buffer.from(signature).toString('base64url')}`;
}
