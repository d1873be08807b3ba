import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startHttpServer } from '#http/testing/http-server.js';
import { Authenticator } from '#registry-api/auth/authenticator.js';
import type { Authentication } from '#registry-api/auth/authenticator.js';
import type { AuthReferences } from '#registry-api/auth/provider-material.js';
import { tokenProviders } from '#identity/providers/index.js';
import type { TokenProvider } from '#identity/token-provider.js';
import { ALONE } from '#support/alone.js';
import { oauth } from '#support/oauth-spec.js';
import { AUDIENCE, createKey, INTROSPECTION_PATH, OidcProvider } from '#support/oidc-provider.js';

let first: OidcProvider;
let second: OidcProvider;
/** Milliseconds by which the clock of the providers is ahead of its start. */
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

function authenticator(
  providers: readonly object[],
  references: Partial<AuthReferences> = {},
  kinds = tokenProviders,
): Authenticator {
  const auth = oauth({ oauth: { providers } });
  if (auth.mode !== 'oauth') throw new Error('the spec is not one of mode oauth');
  return new Authenticator(auth.oauth, 'default', {
    references: { ...ALONE.references, ...references },
    version: 'test',
    now: () => clockMs,
    onFault: (_provider, fault) => void faults.push(fault),
    tokenProviders: kinds,
  });
}

/** Returns the subject, or why there is none. */
async function outcome(subject: Authenticator, token: string): Promise<string> {
  const identified = await subject.identify(token);
  if (!('kind' in identified)) return identified.subject;
  return identified.kind === 'accepted' ? identified.caller.subject : `${identified.kind}: ${identified.why}`;
}

const asked = async (provider: OidcProvider, path = '/jwks') => (await provider.counts())[path] ?? 0;

describe('the keys of a provider', () => {
  it('are requested once in half a minute, whatever the number of unknown ones', async () => {
    const subject = authenticator([specOf('first', first.issuer)]);
    const before = await asked(first);
    const flood = await Promise.all(Array.from({ length: 200 }, (_, at) => first.sign({}, { kid: `made up ${at}` })));
    for (const token of flood)
      expect(await outcome(subject, token)).toBe('refused: the provider has no key with its key id (kid)');
    await Promise.all(flood.map((token) => outcome(subject, token)));
    expect(await outcome(subject, await first.sign())).toBe('editor');
    expect(await asked(first)).toBe(before + 1);
    clockMs += 30_000;
    await Promise.all(flood.map((token) => outcome(subject, token)));
    expect(await asked(first)).toBe(before + 2);
  });

  it('are fetched again when they rotate, and tokens verified with the old ones are dropped', async () => {
    const subject = authenticator([specOf('first', first.issuer)]);
    const [oldKeys, old] = [first.keys, await first.sign()];
    expect(await outcome(subject, old)).toBe('editor');
    const key = await createKey('ES256', 'rotated');
    await first.rotate([key]);
    try {
      expect(await outcome(subject, old)).toBe('editor');
      expect(await outcome(subject, await first.sign({ sub: 'early' }))).toBe(
        'refused: the provider has no key with its key id (kid)',
      );
      clockMs += 30_000;
      expect(await outcome(subject, await first.sign({ sub: 'late' }))).toBe('late');
      expect(await outcome(subject, old)).toBe('refused: the provider has no key with its key id (kid)');
    } finally {
      await first.rotate(oldKeys);
    }
  });

  it('are reloaded after a while, and no request waits for that', async () => {
    const subject = authenticator([specOf('first', first.issuer)]);
    expect(await outcome(subject, await first.sign())).toBe('editor');
    const before = await asked(first);
    clockMs += 6 * 60_000;
    await first.goAway(true);
    expect(await outcome(subject, await first.sign({ sub: 'later' }))).toBe('later');
    await expect.poll(() => faults.at(-1)).toMatch(/openid-configuration|jwks/);
    await first.goAway(false);
    clockMs += 30_000;
    expect(await outcome(subject, await first.sign({ sub: 'even later' }))).toBe('even later');
    await expect.poll(() => asked(first)).toBeGreaterThan(before);
    await first.goAway(true);
    // The response to the previous request may arrive late, and its lifetime starts only then.
    const muchLater = async () => {
      clockMs += 2 * 60 * 60_000;
      return outcome(subject, await first.sign({ sub: `at ${clockMs}` }));
    };
    await expect.poll(muchLater).toMatch(/^unavailable: /);
    await first.goAway(false);
  });

  it('are requested with backoff while the provider is unavailable, without effect on another one', async () => {
    const subject = authenticator([specOf('first', first.issuer), specOf('second', second.issuer)]);
    await first.goAway(true);
    const token = await first.sign();
    const before = await asked(first, '/.well-known/openid-configuration');
    for (let elapsed = 0; elapsed < 20; elapsed++) {
      expect(await outcome(subject, token)).toMatch(/^unavailable: http:.*openid-configuration/);
      expect(await outcome(subject, await second.sign())).toBe('editor');
      clockMs += 1_000;
    }
    // Requests at 0, 1, 3, 7 and 15 s.
    expect((await asked(first, '/.well-known/openid-configuration')) - before).toBe(5);
    await first.goAway(false);
    clockMs += 30_000;
    expect(await outcome(subject, token)).toBe('editor');
    expect(faults.at(-1)).toBeUndefined();
  });
});

describe('a key that the provider withdraws', () => {
  const minutes = (count: number) => count * 60_000;

  it.each([
    ['6 minutes and a millisecond', minutes(6) + 1],
    ['59 minutes', minutes(59)],
    ['a day', minutes(24 * 60)],
  ])('is not trusted after %s without requests', async (_, idleMs) => {
    const subject = authenticator([specOf('first', first.issuer)]);
    const oldKeys = first.keys;
    const [seen, unseen] = [await first.sign(), await first.sign({ sub: 'later' })];
    expect(await outcome(subject, seen)).toBe('editor');
    await first.rotate([await createKey('ES256', 'new')]);
    try {
      clockMs += idleMs;
      expect(await outcome(subject, unseen)).toBe('refused: the provider has no key with its key id (kid)');
      expect(await outcome(subject, seen)).toBe('refused: the provider has no key with its key id (kid)');
    } finally {
      await first.rotate(oldKeys);
    }
  });

  it('is rejected from the first load without it on, which is due after 5 minutes', async () => {
    const subject = authenticator([specOf('first', first.issuer)]);
    const oldKeys = first.keys;
    expect(await outcome(subject, await first.sign())).toBe('editor');
    await first.rotate([await createKey('ES256', 'new')]);
    try {
      clockMs += minutes(5) + 1;
      expect(await outcome(subject, await first.sign({ sub: 'in between' }, {}, oldKeys[0]))).toBe('in between');
      const late = async () => outcome(subject, await first.sign({ sub: `${performance.now()}` }, {}, oldKeys[0]));
      await expect.poll(late).toBe('refused: the provider has no key with its key id (kid)');
    } finally {
      await first.rotate(oldKeys);
    }
  });

  it('is trusted while loading fails, for an hour at most', async () => {
    const subject = authenticator([specOf('first', first.issuer)]);
    expect(await outcome(subject, await first.sign())).toBe('editor');
    await first.goAway(true);
    try {
      clockMs += minutes(59);
      expect(await outcome(subject, await first.sign({ sub: 'away' }))).toBe('away');
      clockMs += minutes(2);
      expect(await outcome(subject, await first.sign({ sub: 'away for long' }))).toMatch(/^unavailable: /);
    } finally {
      await first.goAway(false);
    }
  });

  it('is not used for a verification that was in progress', async () => {
    const gate = Promise.withResolvers<void>();
    let verifications = 0;
    /** A fictitious kind of token. To register it, one object in the list is enough. */
    const ticketProvider: TokenProvider = {
      concerns: (token) => token.kind === 'opaque' && token.value.startsWith('ticket-'),
      createVerifier: async () => async (token) => {
        verifications++;
        await gate.promise;
        return { subject: token, scopes: new Set(), expiresAtMs: undefined };
      },
    };
    const subject = authenticator([specOf('first', first.issuer)], {}, [...tokenProviders, ticketProvider]);
    const oldKeys = first.keys;
    expect(await outcome(subject, await first.sign())).toBe('editor');
    const inFlight = outcome(subject, 'ticket-1');
    await first.rotate([await createKey('ES256', 'new')]);
    try {
      clockMs += minutes(7);
      expect(await outcome(subject, await first.sign({ sub: 'new' }))).toBe('new');
      gate.resolve();
      expect(await inFlight).toBe('ticket-1');
      expect(await outcome(subject, 'ticket-1')).toBe('ticket-1');
      expect(await outcome(subject, 'ticket-1')).toBe('ticket-1');
      expect(verifications).toBe(2);
    } finally {
      await first.rotate(oldKeys);
    }
  });
});

describe('the reason why a token is rejected', () => {
  it.each([
    ['iss', 'its issuer', async () => first.sign({ iss: `${first.issuer}/` })],
    ['aud', 'another audience', async () => first.sign({ aud: 'other' })],
    ['key', 'no key with its key id', async () => first.sign({}, { kid: 'unknown' })],
    ['signature', 'signature', async () => first.sign({}, {}, await createKey('ES256', 'first'))],
    ['time', 'expired', async () => first.sign({ exp: 1 })],
    ['time', 'when it expires', async () => first.sign({ exp: undefined })],
    ['time', 'not valid yet', async () => first.sign({ nbf: 9_999_999_999 })],
    ['type', 'nonce', async () => first.sign({ nonce: 'x' })],
    ['type', 'typ', async () => first.sign({}, { typ: 'logout+jwt' })],
    ['form', 'introspectionUrl', async () => 'opaque'],
    ['form', 'malformed', async () => `ey${await first.sign()}`],
  ])('is logged: %s (%s)', async (check, why, token) => {
    const subject = authenticator([specOf('first', first.issuer), specOf('second', second.issuer)]);
    expect(await subject.identify(await token())).toMatchObject({
      kind: 'refused',
      check,
      why: expect.stringMatching(why),
    });
  });

  it('is logged with the issuer and audiences of the token, truncated', async () => {
    const subject = authenticator([specOf('first', first.issuer)]);
    const token = await first.sign({
      iss: `https://${'x'.repeat(500)}`,
      aud: Array.from({ length: 20 }, (_, at) => `${at}`),
    });
    expect(await subject.identify(token)).toMatchObject({
      check: 'iss',
      token: { tokenIssuer: `https://${'x'.repeat(192)}`, tokenAudiences: ['0', '1', '2', '3', '4'] },
    });
  });

  it('is that of the provider with its audience, if several have its issuer', async () => {
    const other = specOf('other', first.issuer, { audience: 'other' });
    for (const specs of [
      [other, specOf('first', first.issuer)],
      [specOf('first', first.issuer), other],
    ]) {
      const answer = await authenticator(specs).identify(await first.sign({ exp: 1 }));
      expect(answer).toMatchObject({ provider: 'first', check: 'time' });
    }
  });
});

describe('a provider that requires the type of access tokens', () => {
  it.each([
    ['at+jwt', 'editor'],
    ['application/at+jwt', 'editor'],
    ['AT+JWT', 'editor'],
    ['JWT', 'refused: its header typ is not at+jwt'],
    [undefined, 'refused: its header typ is not at+jwt'],
  ])('handles a JWT of type %s as %s', async (typ, expected) => {
    const subject = authenticator([specOf('first', first.issuer, { requireAccessTokenType: true })]);
    expect(await outcome(subject, await first.sign({}, { typ }))).toBe(expected);
  });
});

describe('a misbehaving provider', () => {
  it('must not use another issuer', async () => {
    await using impostor = await startHttpServer(
      (_, response) => void response.end(JSON.stringify({ issuer: first.issuer, jwks_uri: `${first.issuer}/jwks` })),
    );
    const token = await first.sign({ iss: impostor.url });
    expect(await outcome(authenticator([specOf('impostor', impostor.url)]), token)).toMatch(
      /is the metadata of another issuer/,
    );
  });

  it('must not have a private address, unless that is allowed', async () => {
    const before = await first.counts();
    const subject = authenticator([specOf('first', first.issuer, { allowPrivateIP: false })]);
    expect(await outcome(subject, await first.sign())).toMatch(
      /^refused: .* is a private address.* Set allowPrivateIP/,
    );
    expect(faults.at(-1)).toMatch(/is a private address/);
    expect(await first.counts()).toEqual(before);
  });

  it.each(['http://169.254.169.254/keys', 'http://[fd00:ec2::254]/keys', 'file:///etc/passwd'])(
    'must not lead elsewhere: %s',
    async (location) => {
      await using provider = await startHttpServer((request, response) => {
        if (request.url === '/jwks') response.writeHead(302, { location }).end();
        else response.end(JSON.stringify({ issuer: provider.url, jwks_uri: `${provider.url}/jwks` }));
      });
      const subject = authenticator([specOf('provider', provider.url)]);
      expect(await outcome(subject, await first.sign({ iss: provider.url }))).toMatch(/^unavailable: /);
    },
  );

  it.each(['/jwks', '/.well-known/openid-configuration'])('must not redirect to another origin: %s', async (moved) => {
    await using provider = await startHttpServer((request, response) => {
      if (request.url === moved) response.writeHead(302, { location: `${first.issuer}${moved}` }).end();
      else response.end(JSON.stringify({ issuer: provider.url, jwks_uri: `${provider.url}/jwks` }));
    });
    const before = await first.counts();
    const subject = authenticator([specOf('provider', provider.url)]);
    expect(await outcome(subject, await first.sign({ iss: provider.url }))).toMatch(/^unavailable: .* another origin/);
    expect(await first.counts()).toEqual(before);
  });

  it('must not return anything but keys', async () => {
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

  it('uses the current secret', async () => {
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

  const active = { active: true, sub: 'ann' };

  it.each([
    [{ ...active, aud: ['x', AUDIENCE] }, 'ann'],
    [{ active: true, aud: AUDIENCE }, 'unnamed'],
    [{ active: true, aud: AUDIENCE, username: 'ann', token_type: 'Bearer', token_use: 'access_token' }, 'ann'],
    [
      active,
      'refused: the provider names no audience (aud): configure the provider to return it, or set introspectionClientIds or introspectionScopes',
    ],
    [{ ...active, client_id: 'editor' }, /^refused: the provider names no audience/],
    [{ ...active, aud: null }, /^refused: the provider names no audience/],
    [{ ...active, aud: [] }, /^refused: the provider names no audience/],
    [{ active: 'true', sub: 'ann', aud: AUDIENCE }, 'refused: the provider says that it is not active'],
    [{ sub: 'ann', aud: AUDIENCE }, 'refused: the provider says that it is not active'],
    [{ ...active, aud: AUDIENCE, exp: 1 }, 'refused: it has expired'],
    [{ ...active, aud: AUDIENCE, exp: '9999999999' }, 'refused: it has expired'],
    [{ ...active, aud: AUDIENCE, nbf: 9_999_999_999 }, 'refused: it is not valid yet'],
    [{ ...active, aud: 'x' }, 'refused: it is for another audience'],
    [{ ...active, aud: { [AUDIENCE]: true } }, 'refused: it is for another audience'],
    [{ ...active, aud: AUDIENCE, iss: 'https://example.com' }, 'refused: it is of another issuer'],
    [{ ...active, aud: AUDIENCE, typ: 'Refresh' }, 'refused: its claim typ is not that of an access token'],
    [{ ...active, aud: AUDIENCE, token_type: 'DPoP' }, 'refused: its claim token_type is not that of an access token'],
    [{ ...active, aud: AUDIENCE, cnf: { jkt: 'x' } }, /^refused: it is bound to a key/],
  ])('handles %j as %s', async (answer, expected) => {
    await using provider = await startHttpServer((_, response) => void response.end(JSON.stringify(answer)));
    const subject = authenticator([
      specOf('provider', provider.url, { introspectionUrl: `${provider.url}/introspect` }),
    ]);
    const first = await outcome(subject, 'opaque');
    expect(first).toMatch(expected);
    expect(await outcome(subject, 'opaque')).toBe(first);
    expect(provider.requests).toHaveLength(first.startsWith('refused') ? 2 : 1);
  });

  const listed = { introspectionClientIds: ['editor', 'reader'] };
  const scoped = { introspectionScopes: ['registry', 'read'] };
  it.each([
    [listed, { client_id: 'reader' }, 'ann'],
    [listed, { client_id: 'other' }, /introspectionClientIds/],
    [listed, {}, /introspectionClientIds/],
    [listed, { client_id: ['reader'] }, /introspectionClientIds/],
    [listed, { client_id: 'reader', aud: 'x' }, /another audience/],
    [scoped, { scope: 'read registry more' }, 'ann'],
    [scoped, { scope: 'read' }, /introspectionScopes/],
    [scoped, { client_id: 'reader' }, /introspectionScopes/],
    [{ ...listed, ...scoped }, { client_id: 'reader', scope: 'registry read' }, 'ann'],
    [{ ...listed, ...scoped }, { client_id: 'other', scope: 'registry read' }, /introspectionClientIds/],
  ])('without audience and with %j handles %j as %s', async (fields, more, expected) => {
    await using provider = await startHttpServer(
      (_, response) => void response.end(JSON.stringify({ ...active, ...more })),
    );
    const introspectionUrl = `${provider.url}/introspect`;
    const subject = authenticator([specOf('provider', provider.url, { introspectionUrl, ...fields })]);
    expect(await outcome(subject, 'opaque')).toMatch(expected);
  });

  it('sends a token only to the provider with its prefix', async () => {
    const answer = JSON.stringify({ ...active, aud: AUDIENCE });
    await using one = await startHttpServer((_, response) => void response.end(answer));
    await using other = await startHttpServer((_, response) => void response.end(answer));
    const introspecting = (name: string, { url }: { url: string }, tokenPrefix?: string) =>
      specOf(name, url, { introspectionUrl: `${url}/introspect`, ...(tokenPrefix && { tokenPrefix }) });
    const subject = authenticator([introspecting('one', one, 'one_'), introspecting('other', other, 'other_')]);
    expect(await subject.identify('other_token')).toMatchObject({ caller: { provider: 'other' } });
    expect(await outcome(subject, 'foreign')).toMatch(/^refused: it is not a JWT/);
    expect([one.requests.length, other.requests.length]).toEqual([0, 1]);
  });

  it('lets a number of tokens wait, and refuses more without calling the provider unavailable', async () => {
    const answers: (() => void)[] = [];
    await using provider = await startHttpServer(
      (_, response) => void answers.push(() => response.end(JSON.stringify({ ...active, aud: AUDIENCE }))),
    );
    const introspectionUrl = `${provider.url}/introspect`;
    const subject = authenticator([specOf('provider', provider.url, { introspectionUrl })]);
    const results = Array.from({ length: 400 }, (_, number) => subject.identify(`opaque${number}`));
    await expect.poll(() => answers.length).toBe(32);
    const later = results.slice(288).map(async (result) => (await result) as Authentication);
    expect(new Set((await Promise.all(later)).map(({ kind }) => kind))).toEqual(new Set(['unavailable']));
    const earlier = Promise.all(results.slice(0, 288).map(async (result) => (await result) as Authentication));
    const timer = setInterval(() => answers.splice(0).forEach((answer) => answer()), 1);
    expect(new Set((await earlier).map(({ kind }) => kind))).toEqual(new Set(['accepted']));
    clearInterval(timer);
    expect(faults).toEqual([]);
  });

  it('at a forbidden address is an error of the spec, and the token is rejected', async () => {
    const spec = specOf('first', first.issuer, {
      allowPrivateIP: false,
      introspectionUrl: `${first.issuer}${INTROSPECTION_PATH}`,
    });
    const subject = authenticator([spec, specOf('second', second.issuer)]);
    expect(await subject.identify('opaque')).toMatchObject({
      kind: 'refused',
      provider: 'first',
      check: 'configuration',
    });
    expect(faults).toEqual([expect.stringMatching(/is a private address.* Set allowPrivateIP/)]);
    await outcome(subject, 'another');
    expect(faults).toHaveLength(1);
  });
});
