import type { RequestListener, ServerResponse } from 'node:http';
import { brotliCompressSync, deflateRawSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { policyAfter } from './address-policy.js';
import type { AddressPolicy } from './address-policy.js';
import { createGuardedFetch } from './guarded-fetch.js';
import type { GetOptions, HttpAnswer } from './guarded-fetch.js';
import type { HttpFailure } from './http-failure.js';
import { startHttpServer, startHttpsServer, startTcpServer } from './testing/http-server.js';

const JSON_TYPE = { 'content-type': 'application/json' };

interface Asking extends Partial<GetOptions> {
  readonly policy?: AddressPolicy;
  readonly connectTimeoutMs?: number;
}

async function get(url: string, { policy, connectTimeoutMs, ...options }: Asking = {}): Promise<HttpAnswer> {
  await using http = createGuardedFetch({
    version: '1.2.3',
    ...(policy && { policy }),
    ...(connectTimeoutMs && { connectTimeoutMs }),
  });
  return await http.get(url, {
    signal: new AbortController().signal,
    timeoutMs: 20_000,
    maxBytes: 100_000,
    ...options,
  });
}

async function failureOf(url: string, asking: Asking = {}): Promise<HttpFailure> {
  const error: unknown = await get(url, asking).then(
    ({ status }) => `answered ${status}`,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: 'RegistryError' });
  return error as HttpFailure;
}

const redirect = (response: ServerResponse, location: string, status = 302) =>
  void response.writeHead(status, { location }).end('moved');

describe('a request', () => {
  it('sends its User-Agent and gets the bytes of the response', async () => {
    await using server = await startHttpServer((_, response) => void response.writeHead(200, JSON_TYPE).end('{"a":1}'));
    const answer = await get(`${server.url}/list?key=secret`, { headers: { 'if-none-match': '"x"' } });
    expect(answer).toMatchObject({ status: 200, url: `${server.url}/list`, body: Buffer.from('{"a":1}') });
    expect(server.requests).toEqual(['/list?key=secret']);
    expect(server.headers[0]).toMatchObject({
      'user-agent': 'mcp-registry-operator/1.2.3',
      accept: 'application/json',
      'if-none-match': '"x"',
    });
  });

  it.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
  ])('unpacks %s', async (encoding, pack) => {
    const packed = pack(Buffer.from('{"a":1}'));
    await using server = await startHttpServer(
      (_, response) => void response.writeHead(200, { 'content-encoding': encoding }).end(packed),
    );
    expect((await get(server.url)).body.toString()).toBe('{"a":1}');
  });

  it.each(['gzip', 'br', 'compress', ...Object.getOwnPropertyNames(Object.prototype)])(
    'reports that it cannot unpack %s',
    async (encoding) => {
      await using server = await startHttpServer(
        (_, response) => void response.writeHead(200, { 'content-encoding': encoding }).end('plain text'),
      );
      expect(await failureOf(server.url)).toMatchObject({ reason: 'InvalidData' });
    },
  );

  it('retries a body that does not match its encoding, because proxies cause that temporarily', async () => {
    await using server = await startHttpServer(
      (_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(deflateRawSync('{"a":1}')),
    );
    expect(await failureOf(server.url)).toMatchObject({
      destiny: 'retry',
      message: expect.stringContaining('does not match its Content-Encoding'),
    });
  });

  it('returns 304 and 404 to the caller', async () => {
    await using server = await startHttpServer((request, response) => {
      response.writeHead(request.url === '/same' ? 304 : 404).end();
    });
    expect((await get(`${server.url}/same`)).status).toBe(304);
    expect((await get(`${server.url}/other`)).status).toBe(404);
  });
});

describe('a status that does not mean success', () => {
  const answering = (status: number, headers: Record<string, string> = {}, body = ''): RequestListener => {
    return (_, response) => void response.writeHead(status, headers).end(body);
  };

  it.each([
    [401, 'AuthFailed', 'wait'],
    [403, 'AuthFailed', 'wait'],
    [400, 'FetchFailed', 'wait'],
    [410, 'FetchFailed', 'wait'],
    [408, 'FetchFailed', 'retry'],
    [429, 'FetchFailed', 'retry'],
    [500, 'FetchFailed', 'retry'],
    [503, 'FetchFailed', 'retry'],
  ])('%i is %s: %s', async (status, reason, destiny) => {
    await using server = await startHttpServer(answering(status));
    const failure = await failureOf(`${server.url}/x?key=secret`);
    expect(failure).toMatchObject({ reason, destiny, status });
    expect(failure.message).toContain(`${server.url}/x answered ${status} `);
    expect(failure.message).not.toContain('secret');
  });

  it('is reported with the message and the Retry-After of the server', async () => {
    await using server = await startHttpServer(answering(429, { 'retry-after': '7' }, '{"error":"slow\\n down"}'));
    const failure = await failureOf(server.url);
    expect(failure.message).toContain('429 Too Many Requests (slow down).');
    expect(failure.retryAfterMs).toBe(7000);
  });
});

describe('an endless response', () => {
  it('is aborted if it has too many bytes, packed or unpacked', async () => {
    await using endless = await startHttpServer((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024, 0x20)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    await using bomb = await startHttpServer(
      (_, response) =>
        void response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(10_000_000))),
    );
    for (const { url } of [endless, bomb]) {
      const failure = await failureOf(url);
      expect(failure).toMatchObject({ reason: 'InvalidData', destiny: 'wait' });
      expect(failure.message).toContain('answered with more than 100000 bytes');
    }
  });

  it.each<[string, Parameters<typeof startTcpServer>[0], RegExp, number?]>([
    ['headers that do not come', () => undefined, /did not respond within 300ms/],
    [
      'headers that trickle',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\n');
        const timer = setInterval(() => socket.write('x-more: 1\r\n'), 20);
        socket.on('close', () => clearInterval(timer));
      },
      /did not respond within 300ms/,
    ],
    [
      'a body that trickles',
      (socket) => {
        socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
        const timer = setInterval(() => socket.write('1\r\n \r\n'), 20);
        socket.on('close', () => clearInterval(timer));
      },
      /did not complete its response within 3s/,
      // A longer timeout, so that the headers arrive in time.
      3_000,
    ],
  ])('is aborted at the deadline: %s', async (_, talk, message, timeoutMs = 300) => {
    await using server = await startTcpServer(talk);
    const failure = await failureOf(server.url, { timeoutMs });
    expect(failure).toMatchObject({ reason: 'Unreachable', destiny: 'retry' });
    expect(failure.message).toMatch(message);
  });

  it('is rejected if its headers are too many', async () => {
    await using server = await startTcpServer((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\n${`x-more: ${'1'.repeat(1000)}\r\n`.repeat(100)}`);
    });
    expect(await failureOf(server.url)).toMatchObject({ reason: 'InvalidData', destiny: 'wait' });
  });

  it('is aborted when the caller aborts it, with the reason of the caller', async () => {
    const controller = new AbortController();
    await using server = await startHttpServer((_, response) => {
      response.write(' ');
      controller.abort(new Error('nobody wants it'));
    });
    await expect(get(server.url, { signal: controller.signal })).rejects.toThrow('nobody wants it');
  });
});

describe('a connection', () => {
  it('that is refused or breaks is retryable', async () => {
    const gone = await startHttpServer(() => undefined);
    await gone[Symbol.asyncDispose]();
    expect((await failureOf(gone.url)).message).toBe(`${gone.url}/ cannot be reached (ECONNREFUSED).`);

    await using broken = await startTcpServer((socket) => {
      socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"serv'));
    });
    const failure = await failureOf(broken.url);
    expect(failure).toMatchObject({ reason: 'Unreachable', destiny: 'retry' });
    expect(failure.message).toContain('closed the connection in the middle of a response');
  });

  it('that never becomes secure is aborted', async () => {
    await using server = await startTcpServer(() => undefined);
    const failure = await failureOf(`https://127.0.0.1:${server.port}`, { connectTimeoutMs: 300 });
    expect(failure).toMatchObject({ reason: 'Unreachable', destiny: 'retry' });
    expect(failure.message).toContain('no connection');
  });

  it('that is being established ends with the client', async () => {
    const closed = Promise.withResolvers<void>();
    await using server = await startTcpServer((socket) => void socket.on('close', () => closed.resolve()));
    const failure = await failureOf(`https://127.0.0.1:${server.port}`, {
      timeoutMs: 100,
      connectTimeoutMs: 3_600_000,
    });
    expect(failure.message).toContain('did not respond within 100ms');
    await closed.promise;
  });

  it('to a server with a self-signed certificate always fails', async () => {
    await using server = await startHttpsServer((_, response) => void response.end('{}'));
    const failure = await failureOf(server.url);
    expect(failure).toMatchObject({ reason: 'Unreachable', destiny: 'wait' });
    expect(failure.message).toContain('has a certificate that is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)');
  });

  it('to a server that does not speak TLS reports that', async () => {
    await using server = await startHttpServer((_, response) => void response.end('{}'));
    const failure = await failureOf(server.url.replace('http:', 'https:'));
    expect(failure).toMatchObject({ reason: 'Unreachable', destiny: 'wait' });
    expect(failure.message).toContain('check whether it should be an http:// URL');
  });

  it('to an unknown name reports that', async () => {
    const failure = await failureOf('http://nobody.invalid/x');
    expect(failure).toMatchObject({ reason: 'Unreachable', destiny: 'retry' });
    expect(failure.message).toContain('its host name cannot be resolved');
  });
});

describe('a forbidden address', () => {
  const FORBIDDEN = `169.254.169.254 0.0.0.0 2852039166 0xa9.0xfe.0xa9.0xfe 0
    [::] [fe80::1] [fd00:ec2::254] [::ffff:169.254.169.254] [64:ff9b::a9fe:a9fe]`.split(/\s+/);

  it.each(FORBIDDEN)('is never requested: %s', async (host) => {
    const failure = await failureOf(`http://${host}:9/latest/meta-data`);
    expect(failure).toMatchObject({ reason: 'FetchFailed', destiny: 'wait' });
    expect(failure.message).toMatch(/a link-local, metadata or reserved address, to which requests are not allowed/);
  });

  it('is private if the policy is strict, as address and as name', async () => {
    await using server = await startHttpServer((_, response) => void response.end('{}'));
    for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]']) {
      const failure = await failureOf(`http://${host}:${server.port}/`, { policy: 'public-only' });
      expect(failure).toMatchObject({ reason: 'FetchFailed', destiny: 'wait' });
      expect(failure.message).toContain('a private address, to which requests are not allowed');
    }
    expect(server.requests).toEqual([]);
    expect((await get(`http://localhost:${server.port}/`)).status).toBe(200);
  });
});

describe('a redirect', () => {
  it('is included in the message of a later failure, with the original address', async () => {
    await using closed = await startHttpServer((_, response) => void response.end());
    const gone = closed.url;
    await closed[Symbol.asyncDispose]();
    await using last = await startHttpServer((_, response) => void response.writeHead(418).end('{"error":"tea"}'));
    await using first = await startHttpServer((request, response) =>
      redirect(response, `${request.url === '/gone' ? gone : last.url}/inner?key=secret`),
    );
    expect((await failureOf(`${first.url}/a?key=secret`)).message).toBe(
      `${first.url}/a, which redirects to ${last.url}/inner, answered 418 I'm a Teapot (tea).`,
    );
    expect((await failureOf(`${first.url}/gone`)).message).toContain(
      `${first.url}/gone, which redirects to ${gone}/inner, cannot be reached`,
    );
  });

  it('is followed, without the headers of the caller if it leads to another server', async () => {
    await using last = await startHttpServer((_, response) => void response.end('{}'));
    await using first = await startHttpServer((request, response) =>
      request.url === '/a' ? redirect(response, '/b?x=1', 308) : redirect(response, `${last.url}/c`),
    );
    const answer = await get(`${first.url}/a`, { headers: { 'if-none-match': '"x"' } });
    expect(answer.url).toBe(`${first.url}/a, which redirects to ${last.url}/c,`);
    expect(first.requests).toEqual(['/a', '/b?x=1']);
    expect(first.headers[1]).toHaveProperty('if-none-match', '"x"');
    expect(last.headers[0]).not.toHaveProperty('if-none-match');
  });

  it('is followed at most five times', async () => {
    await using server = await startHttpServer((request, response) => {
      const left = Number(request.url?.slice(1));
      return left > 0 ? redirect(response, `/${left - 1}`) : void response.end('{}');
    });
    expect((await get(`${server.url}/5`)).status).toBe(200);
    expect((await failureOf(`${server.url}/6`)).message).toContain('redirects more than 5 times');
  });

  it('does not lead to metadata, to other schemes, or to an empty location', async () => {
    const targets: Record<string, string> = {
      '/metadata': 'http://169.254.169.254/latest/meta-data/iam?token=1',
      '/file': 'file:///etc/passwd',
      '/nowhere': 'http://',
    };
    await using server = await startHttpServer((request, response) =>
      redirect(response, targets[request.url ?? ''] ?? ''),
    );
    const messageOf = async (path: string) => {
      const failure = await failureOf(`${server.url}${path}`);
      expect(failure).toMatchObject({ reason: 'FetchFailed', destiny: 'wait' });
      return failure.message;
    };
    expect(await messageOf('/metadata')).toBe(
      `${server.url}/metadata, which redirects to http://169.254.169.254/latest/meta-data/iam, is a link-local, metadata or reserved address, to which requests are not allowed.`,
    );
    expect(await messageOf('/file')).toContain('redirects to a file: address');
    expect(await messageOf('/nowhere')).toContain('redirects to nowhere');
  });

  it('must not lead from the internet into a private network', () => {
    expect(policyAfter('private-allowed', 'public')).toBe('public-only');
    expect(policyAfter('private-allowed', 'private')).toBe('private-allowed');
    expect(policyAfter('public-only', 'private')).toBe('public-only');
    expect(policyAfter('private-allowed', undefined)).toBe('public-only');
  });
});
