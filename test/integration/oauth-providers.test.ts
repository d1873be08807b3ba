import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startHttpServer } from '#http/testing/http-server.js';
import { Authenticator } from '#registry-api/auth/authenticator.js';
import type { AuthReferences } from '#registry-api/auth/provider-material.js';
import { ALONE } from '#support/alone.js';
import { oauth } from '#support/oauth-spec.js';
import { AUDIENCE, createKey, INTROSPECTION_PATH, OidcProvider } from '#support/oidc-provider.js';

let first: OidcProvider;
let second: OidcProvider;
/** Milliseconds that the providers' clock is ahead of its start. */
let clockMs = 0;
const faults: (string | undefined)[] = [];

beforeAll(async () => {
  [first, second] = await Promise.all([startProvider('first'), startProvider('second')]);
});

afterAll(async () => {
  await Promise.all([first?.[Symbol.asyncDispose](), second?.[Symbol.asyncDispose]()]);
});

beforeEach(() => {
  clockMs = 0;
  faults.length = 0;
});

async function startProvider(kid: string): Promise<OidcProvider> {
  return OidcProvider.start([await createKey('ES256', kid)]);
}

const specOf = (name: string, issuerUrl: string, fields: object = {}) => ({
  name,
  issuerUrl,
  audience: AUDIENCE,
  allowPrivateIP: true,
  ...fields,
});

function authenticator(providers: readonly object[], references: Partial<AuthReferences> = {}): Authenticator {
  const auth = oauth({ oauth: { providers } });
  if (auth.mode !== 'oauth') throw new Error('the spec is not one of mode oauth');
  return new Authenticator(auth.oauth, 'default', {
    references: { ...ALONE.references, ...references },
    version: 'test',
    now: () => clockMs,
    onFault: (_provider, fault) => void faults.push(fault),
  });
}

/** The subject, or what came of it instead. */
async function outcome(subject: Authenticator, token: string): Promise<string> {
  const identified = await subject.identify(token);
  if (!('kind' in identified)) return identified.subject;
  return identified.kind === 'accepted' ? identified.caller.subject : `${identified.kind}: ${identified.why}`;
}

const asked = async (provider: OidcProvider, path = '/jwks') => (await provider.counts())[path] ?? 0;

describe('the keys of a provider', () => {
  it('are asked for once in half a minute, however many unknown ones are named', async () => {
    const subject = authenticator([specOf('first', first.issuer)]);
    const before = await asked(first);
    const flood = await Promise.all(Array.from({ length: 200 }, (_, at) => first.sign({}, { kid: `made up ${at}` })));
    for (const token of flood) expect(await outcome(subject, token)).toBe('refused: the provider has no such key');
    await Promise.all(flood.map((token) => outcome(subject, token)));
    expect(await outcome(subject, await first.sign())).toBe('editor');
    expect(await asked(first)).toBe(before + 1);
    clockMs += 30_000;
    await Promise.all(flood.map((token) => outcome(subject, token)));
    expect(await asked(first)).toBe(before + 2);
  });

  it('are fetched again when they rotate, and what was verified with the old ones is forgotten', async () => {
    const subject = authenticator([specOf('first', first.issuer)]);
    const [oldKeys, old] = [first.keys, await first.sign()];
    expect(await outcome(subject, old)).toBe('editor');
    const key = await createKey('ES256', 'rotated');
    await first.rotate([key]);
    try {
      expect(await outcome(subject, old)).toBe('editor');
      expect(await outcome(subject, await first.sign({ sub: 'early' }))).toBe('refused: the provider has no such key');
      clockMs += 30_000;
      expect(await outcome(subject, await first.sign({ sub: 'late' }))).toBe('late');
      expect(await outcome(subject, old)).toBe('refused: the provider has no such key');
    } finally {
      await first.rotate(oldKeys);
    }
  });

  it('are looked at again after a while, and nobody waits for that', async () => {
    const subject = authenticator([specOf('first', first.issuer)]);
    expect(await outcome(subject, await first.sign())).toBe('editor');
    const before = await asked(first);
    clockMs += 6 * 60_000;
    await first.goAway(true);
    expect(await outcome(subject, await first.sign({ sub: 'later' }))).toBe('later');
    await expect.poll(() => faults.length).toBeGreaterThan(1);
    await first.goAway(false);
    clockMs += 30_000;
    expect(await outcome(subject, await first.sign({ sub: 'even later' }))).toBe('even later');
    await expect.poll(() => asked(first)).toBeGreaterThan(before);
    await first.goAway(true);
    // The answer to the look before may come late, and counts from then on.
    const muchLater = async () => {
      clockMs += 2 * 60 * 60_000;
      return outcome(subject, await first.sign({ sub: `at ${clockMs}` }));
    };
    await expect.poll(muchLater).toMatch(/^unavailable: /);
    await first.goAway(false);
  });

  it('are asked for again, ever more rarely, while the provider is away; another one is none the worse', async () => {
    const subject = authenticator([specOf('first', first.issuer), specOf('second', second.issuer)]);
    await first.goAway(true);
    const token = await first.sign();
    const before = await asked(first, '/.well-known/openid-configuration');
    for (let elapsed = 0; elapsed < 20; elapsed++) {
      expect(await outcome(subject, token)).toMatch(/^unavailable: http:.*openid-configuration/);
      expect(await outcome(subject, await second.sign())).toBe('editor');
      clockMs += 1_000;
    }
    // At 0, 1, 3, 7 and 15 s.
    expect((await asked(first, '/.well-known/openid-configuration')) - before).toBe(5);
    await first.goAway(false);
    clockMs += 30_000;
    expect(await outcome(subject, token)).toBe('editor');
    expect(faults.at(-1)).toBeUndefined();
  });
});

describe('what a provider must not do', () => {
  it('is to speak for another issuer', async () => {
    await using impostor = await startHttpServer(
      (_, response) => void response.end(JSON.stringify({ issuer: first.issuer, jwks_uri: `${first.issuer}/jwks` })),
    );
    const token = await first.sign({ iss: impostor.url });
    expect(await outcome(authenticator([specOf('impostor', impostor.url)]), token)).toMatch(
      /speaks for another issuer/,
    );
  });

  it('is to live at a private address, unless that is allowed', async () => {
    const before = await first.counts();
    const subject = authenticator([specOf('first', first.issuer, { allowPrivateIP: false })]);
    expect(await outcome(subject, await first.sign())).toMatch(/^unavailable: .* is a private address/);
    expect(await first.counts()).toEqual(before);
  });

  it.each(['http://169.254.169.254/keys', 'http://[fd00:ec2::254]/keys', 'file:///etc/passwd'])(
    'is to lead elsewhere: %s',
    async (location) => {
      await using provider = await startHttpServer((request, response) => {
        if (request.url === '/jwks') response.writeHead(302, { location }).end();
        else response.end(JSON.stringify({ issuer: provider.url, jwks_uri: `${provider.url}/jwks` }));
      });
      const subject = authenticator([specOf('provider', provider.url)]);
      expect(await outcome(subject, await first.sign({ iss: provider.url }))).toMatch(/^unavailable: /);
    },
  );

  it('is to answer with anything but keys', async () => {
    for (const body of [
      '',
      'null',
      '[]',
      '{"keys":{}}',
      '{"keys":[7]}',
      '<html>',
      `{"keys":[${' '.repeat(600_000)}]}`,
    ]) {
      await using provider = await startHttpServer((_, response) => void response.end(body));
      const subject = authenticator([specOf('provider', provider.url, { jwksUrl: `${provider.url}/jwks` })]);
      expect(await outcome(subject, await first.sign({ iss: provider.url }))).toMatch(/^unavailable: /);
    }
  });
});

describe('introspection', () => {
  const introspecting = { clientId: 'registry', clientSecretRef: { name: 'client', key: 'secret' } };

  it('uses the secret as it is now', async () => {
    let secret = 'outdated';
    const spec = specOf('first', first.issuer, {
      ...introspecting,
      introspectionUrl: `${first.issuer}${INTROSPECTION_PATH}`,
    });
    const subject = authenticator([spec], { secretKey: async () => Buffer.from(`${secret}\n`) });
    const token = await first.issue('opaque');
    expect(await outcome(subject, token)).toMatch(/^unavailable: .* answered 401/);
    secret = first.secret;
    expect(await outcome(subject, token)).toBe('editor:1');
  });

  it.each([
    [{ active: true }, 'unnamed'],
    [{ active: true, username: 'ann' }, 'ann'],
    [{ active: true, sub: 'ann', aud: ['x', AUDIENCE] }, 'ann'],
    [{ active: 'true', sub: 'ann' }, 'refused: the provider says that it is not active'],
    [{ sub: 'ann' }, 'refused: the provider says that it is not active'],
    [{ active: true, exp: 1 }, 'refused: it has expired'],
    [{ active: true, exp: '9999999999' }, 'refused: it has expired'],
    [{ active: true, nbf: 9_999_999_999 }, 'refused: it is not valid yet'],
    [{ active: true, aud: 'x' }, 'refused: it is for another audience'],
    [{ active: true, iss: 'https://example.com' }, 'refused: it is of another issuer'],
  ])('takes %j for %s', async (answer, expected) => {
    await using provider = await startHttpServer((_, response) => void response.end(JSON.stringify(answer)));
    const subject = authenticator([
      specOf('provider', provider.url, { introspectionUrl: `${provider.url}/introspect` }),
    ]);
    expect(await outcome(subject, 'opaque')).toBe(expected);
    const again = expected.startsWith('refused') ? 2 : 1;
    expect(await outcome(subject, 'opaque')).toBe(expected);
    expect(provider.requests).toHaveLength(again);
  });
});
