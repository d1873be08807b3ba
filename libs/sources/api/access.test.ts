import type { RequestListener } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { RegistryError } from '#domain/registry-error.js';
import { startHttpServer } from '#http/testing/http-server.js';
import { server } from '../testing/catalogue-file.js';
import { apiSpec } from './api-spec.js';
import type { ApiSpec } from './api-spec.js';
import { apiSource } from './api.source.js';
import { createApiContext, walkAll } from './testing/api-context.js';
import type { TestApiContext } from './testing/api-context.js';

const SECRET = 's3cr3t: with % & "quotes"';
const TOKEN = 'opaque.token-1';

const PAGE = JSON.stringify({ servers: [{ server: server({ name: 'a/b' }), _meta: {} }], metadata: { count: 1 } });

/**
 * Serves requests with a token for which `isGood` is true. Refuses others like a careless server that repeats what it
 * was sent.
 */
const guarded =
  (isGood: (token: string) => boolean): RequestListener =>
  ({ headers }, response) => {
    const token = headers.authorization?.replace('Bearer ', '') ?? '';
    if (isGood(token)) return void response.writeHead(200, { 'content-type': 'application/json' }).end(PAGE);
    return void response.writeHead(401).end(JSON.stringify({ error: `no such token: ${token}` }));
  };

/** A token endpoint that issues `t1`, `t2` and so on to a client with the right secret. */
function tokenEndpoint(fields: object = { token_type: 'bearer', expires_in: 600 }) {
  const asked: string[] = [];
  const wanted = `Basic ${Buffer.from(`team+a:${new URLSearchParams({ x: SECRET }).toString().slice(2)}`).toString('base64')}`;
  const listener: RequestListener = (request, response) => {
    let form = '';
    request.on('data', (chunk: Buffer) => (form += chunk.toString()));
    request.on('end', () => {
      const isKnown = request.headers.authorization === wanted;
      if (isKnown) asked.push(form);
      const body = isKnown ? { access_token: `t${asked.length}`, ...fields } : { error: `not ${SECRET}` };
      response.writeHead(isKnown ? 200 : 401).end(JSON.stringify(body));
    });
  };
  return { asked, listener };
}

function contextWith(secrets: Readonly<Record<string, string>>): TestApiContext {
  const context = createApiContext();
  for (const [place, value] of Object.entries(secrets)) context.secrets.set(place, value);
  return context;
}

const namesOf = async (spec: ApiSpec, context: TestApiContext) =>
  (await walkAll(apiSource.pages(spec, {}, context, apiSource.read))).entries.map(({ name }) => name);

const failureOf = (spec: ApiSpec, context: TestApiContext) =>
  namesOf(spec, context).then(
    () => expect.unreachable('it was read'),
    (error: RegistryError) => error,
  );

const withToken = (endpoint: string, optional?: boolean): ApiSpec => ({
  endpoint,
  auth: { tokenSecretRef: { name: 'reader', key: 'token', ...(optional && { optional }) } },
});

const withClient = (endpoint: string, tokenUrl: string, parameters: object = {}): ApiSpec =>
  apiSpec.parse({
    endpoint,
    auth: {
      clientCredentials: {
        tokenUrl,
        clientId: 'team a',
        clientSecretRef: { name: 'client', key: 'secret' },
        ...parameters,
      },
    },
  });

describe('a bearer token from a Secret', () => {
  it('is sent with every request, without the line break of its file', async () => {
    await using registry = await startHttpServer(guarded((token) => token === TOKEN));
    const context = contextWith({ 'reader/token': `${TOKEN}\n` });
    expect(await namesOf(withToken(registry.url), context)).toEqual(['a/b']);
    expect(await apiSource.probe(withToken(registry.url), {}, context)).toMatchObject({ verdict: 'unknown' });
  });

  it('is in no error message when the registry rejects it; the message contains its Secret', async () => {
    await using registry = await startHttpServer(guarded(() => false));
    const { message, reason } = await failureOf(withToken(registry.url), contextWith({ 'reader/token': TOKEN }));
    expect(reason).toBe('AuthFailed');
    expect(message).toContain('(no such token: …): it rejects the token in Secret reader, key token');
    expect(message).not.toContain(TOKEN);
  });

  it('is not sent to another origin', async () => {
    await using other = await startHttpServer(guarded((token) => token === ''));
    await using registry = await startHttpServer((_, response) => {
      response.writeHead(307, { location: `${other.url}/v0.1/servers` }).end();
    });
    expect(await namesOf(withToken(registry.url), contextWith({ 'reader/token': TOKEN }))).toEqual(['a/b']);
    expect(other.headers.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it.each([
    ['is missing', {}, 'SecretNotFound', 'Secret reader is missing'],
    ['is empty', { 'reader/token': ' \n' }, 'AuthFailed', 'is empty'],
    ['has two lines', { 'reader/token': 'a\nb' }, 'AuthFailed', 'is not one line of text'],
    ['is no text', { 'reader/token': 'a\ufffdb' }, 'AuthFailed', 'is not one line of text'],
    [
      'has blanks',
      { 'reader/token': 'Bearer abc' },
      'AuthFailed',
      'contains spaces or characters other than printable ASCII',
    ],
  ])('that %s is reported without a request', async (_, secrets, reason, message) => {
    await using registry = await startHttpServer(guarded(() => true));
    const failure = await failureOf(withToken(registry.url), contextWith(secrets as Record<string, string>));
    expect(failure).toMatchObject({ reason, message: expect.stringContaining(message) as string });
    expect(registry.requests).toEqual([]);
  });

  it('may be optional: then the registry is requested without a login', async () => {
    await using registry = await startHttpServer(guarded((token) => token === ''));
    expect(await namesOf(withToken(registry.url, true), contextWith({}))).toEqual(['a/b']);
  });
});

describe('a token for client credentials', () => {
  it('is requested once with scope, audience and resource, and used until it expires', async () => {
    const { asked, listener } = tokenEndpoint();
    await using provider = await startHttpServer(listener);
    await using registry = await startHttpServer(guarded((token) => token === 't1'));
    const spec = withClient(registry.url, `${provider.url}/token`, { scope: 'a b', audience: 'x', resource: 'urn:y' });
    const context = contextWith({ 'client/secret': `${SECRET}\n` });
    expect(await namesOf(spec, context)).toEqual(['a/b']);
    expect(await namesOf(spec, context)).toEqual(['a/b']);
    expect(asked).toEqual(['grant_type=client_credentials&scope=a+b&audience=x&resource=urn%3Ay']);
  });

  it('differs for another secret', async () => {
    const { listener } = tokenEndpoint();
    await using provider = await startHttpServer(listener);
    await using registry = await startHttpServer(guarded((token) => token === 't1'));
    const spec = withClient(registry.url, `${provider.url}/token`);
    await namesOf(spec, contextWith({ 'client/secret': SECRET }));
    expect(await failureOf(spec, contextWith({ 'client/secret': 'wrong' }))).toMatchObject({ reason: 'AuthFailed' });
  });

  it('is requested again when the registry rejects it', async () => {
    const { asked, listener } = tokenEndpoint();
    await using provider = await startHttpServer(listener);
    await using registry = await startHttpServer(guarded((token) => token === 't2'));
    const spec = withClient(registry.url, `${provider.url}/token`);
    expect(await namesOf(spec, contextWith({ 'client/secret': SECRET }))).toEqual(['a/b']);
    expect(asked).toHaveLength(2);
    await using closed = await startHttpServer(guarded(() => false));
    const { message } = await failureOf(
      withClient(closed.url, `${provider.url}/token`),
      contextWith({ 'client/secret': SECRET }),
    );
    expect(message).toContain(`it rejects the token from ${provider.url}/token: check scope, audience and resource`);
    expect(asked, 'at most one more').toHaveLength(3);
  });

  it('is not used after it has expired', async () => {
    const { asked, listener } = tokenEndpoint({ expires_in: 0.001 });
    await using provider = await startHttpServer(listener);
    await using registry = await startHttpServer(guarded(() => true));
    const spec = withClient(registry.url, `${provider.url}/token`);
    for (let times = 0; times < 2; times++) await namesOf(spec, contextWith({ 'client/secret': SECRET }));
    expect(asked).toHaveLength(2);
  });

  it('is rejected without repeating the secret', async () => {
    const { listener } = tokenEndpoint();
    await using provider = await startHttpServer(listener);
    await using registry = await startHttpServer(guarded(() => true));
    const spec = withClient(registry.url, `${provider.url}/token`, { clientId: 'other' });
    const { message } = await failureOf(spec, contextWith({ 'client/secret': SECRET }));
    expect(message).toContain('(not …): it rejects the client: check clientId and Secret client, key secret');
    expect(registry.requests).toEqual([]);
  });

  it.each([SECRET, new URLSearchParams({ x: SECRET }).toString().slice(2)])(
    'is rejected without repeating the secret in the form that was sent: %s',
    async (spelling) => {
      await using provider = await startHttpServer((request, response) => {
        request.resume().on('end', () => response.writeHead(401).end(JSON.stringify({ error: `not ${spelling}` })));
      });
      const spec = withClient('http://127.0.0.1:1', `${provider.url}/token`);
      const { message } = await failureOf(spec, contextWith({ 'client/secret': SECRET }));
      expect(message).toContain('(not …)');
    },
  );

  it('is redacted when a registry repeats an earlier one', async () => {
    const { listener } = tokenEndpoint({ expires_in: 0.001 });
    await using provider = await startHttpServer(listener);
    const seen: string[] = [];
    await using registry = await startHttpServer(({ headers }, response) => {
      seen.push(headers.authorization?.replace('Bearer ', '') ?? '');
      response.writeHead(404).end(JSON.stringify({ error: `not for [${seen[0]}]` }));
    });
    const { message } = await failureOf(
      withClient(registry.url, `${provider.url}/token`),
      contextWith({ 'client/secret': SECRET }),
    );
    // Each request has a new token, and the response repeats the first one.
    expect(seen.slice(0, 2)).toEqual(['t1', 't2']);
    expect(message).toContain('(not for […])');
  });

  it.each([
    ['a page', '<html>', 200, 'returned no access_token'],
    ['a token of another kind', '{"access_token":"a","token_type":"DPoP"}', 200, 'is not a bearer token'],
    ['a token that no header can carry', '{"access_token":"a\\r\\nb"}', 200, 'returned no access_token'],
    ['nothing', '', 404, 'is not the response of a token endpoint'],
  ])('is not accepted from an endpoint that responds with %s', async (_, body, status, message) => {
    await using provider = await startHttpServer((request, response) => {
      request.resume().on('end', () => response.writeHead(status).end(body));
    });
    const spec = withClient('http://127.0.0.1:1', `${provider.url}/token`);
    const failure = await failureOf(spec, contextWith({ 'client/secret': SECRET }));
    expect(failure).toMatchObject({ reason: 'AuthFailed', message: expect.stringContaining(message) as string });
  });

  it('is requested through the address guard, and all failures of a private endpoint have the same message', async () => {
    await using registry = await startHttpServer(guarded(() => true));
    const causes: string[] = [];
    const base = contextWith({ 'client/secret': SECRET });
    const asked = (addressPolicy: 'public-only' | 'private-allowed', port: string) =>
      failureOf(withClient(registry.url, `http://127.0.0.1:${port}/token`), {
        ...base,
        settings: { ...base.settings, addressPolicy, concealedCause: (cause) => void causes.push(cause) },
      });
    expect((await asked('public-only', '9')).message).toContain('to which requests are not allowed');
    await using refusing = await startHttpServer((request, response) => {
      request.resume().on('end', () => response.writeHead(418).end());
    });
    const [closed, open] = [
      await asked('private-allowed', '9'),
      await asked('private-allowed', new URL(refusing.url).port),
    ];
    expect(closed.message.replace(/:\d+\//, '')).toBe(open.message.replace(/:\d+\//, ''));
    expect(causes.at(-1)).toContain('418');
  });
});

it('accepts exactly one way to log in', () => {
  const tokenSecretRef = { name: 'a', key: 'b' };
  const clientCredentials = { tokenUrl: 'https://x.example', clientId: 'a', clientSecretRef: tokenSecretRef };
  const parse = (auth: object) => apiSpec.safeParse({ endpoint: 'https://y.example', auth }).success;
  expect([parse({ tokenSecretRef }), parse({ clientCredentials })]).toEqual([true, true]);
  expect([parse({}), parse({ tokenSecretRef, clientCredentials })]).toEqual([false, false]);
});
