import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import fastify from 'fastify';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fire, fireHostilePackets } from '#support/hostile-packets.js';
import { fastifyOptions } from './fastify-options.js';
import { LISTENER_LIMITS } from './limits.js';
import { listen } from './listen.js';
import type { Listener } from './listen.js';
import { startTextListener } from './start-text-listener.js';

const logged: string[] = [];
const logger = pino({ base: null }, { write: (line: string) => void logged.push(line) });
let listener: Listener;

const start = (host: string) =>
  startTextListener({
    host,
    port: 0,
    portSetting: 'PORT',
    answers: {
      '/ok': () => ({ status: 200, text: 'ok\n' }),
      '/broken': () => {
        throw new Error('a secret of ours');
      },
    },
    logger,
  });

beforeAll(async () => {
  listener = await start('127.0.0.1');
});

afterAll(() => listener.close());

/** Returns the first line of the response to a request with these lines. */
const ask = (...lines: string[]) =>
  fire({ name: 'test', chunks: [[...lines, 'Connection: close', '', ''].join('\r\n')] }, listener.port);

const get = (target: string, ...headers: string[]) => ask(`GET ${target} HTTP/1.1`, 'Host: x', ...headers);

const JSON_BODY = { 'content-type': 'application/json' };

const isOk = async () => (await fetch(`${listener.url}/ok`)).ok;

it('rejects every hostile packet or closes the connection, and continues to serve', async () => {
  const answers = await fireHostilePackets(listener.port);
  for (const [{ name }, line] of answers) expect(line, name).toMatch(/^(HTTP\/1\.1 (2|3|4|501)|$)/);
  expect(await isOk()).toBe(true);
  expect(logged).toEqual([]);
}, 60_000);

describe('request targets', () => {
  it.each([
    ['/ok', 200],
    ['/ok?x', 200],
    ['http://x/ok', 200],
    ['HTTPS://[::1]:99999/ok?', 200],
    ['http://x', 404],
    ['http://x?/ok', 404],
    ['//ok', 404],
    ['/ok/', 404],
    ['*', 404],
    ['/%zz', 400],
    ['ftp://x/ok', 400],
    ['x:80', 400],
  ])('%s gets %i', async (target, status) => {
    expect(await get(target)).toMatch(`HTTP/1.1 ${status} `);
  });
});

describe('limits', () => {
  it('the head', async () => {
    const fixed = 'GET /ok HTTP/1.1\r\nHost: x\r\nX: \r\nConnection: close\r\n\r\n'.length;
    expect(await get('/ok', `X: ${'x'.repeat(LISTENER_LIMITS.headBytes - fixed - 100)}`)).toMatch('HTTP/1.1 200');
    expect(await get('/ok', `X: ${'x'.repeat(LISTENER_LIMITS.headBytes)}`)).toMatch('HTTP/1.1 431');
  });

  it('the number of header fields, none of which is dropped silently', async () => {
    // Minus two, because Host and Connection count as well.
    const fields = (count: number) => Array.from({ length: count - 2 }, (_, at) => `X-${at}: y`);
    expect(await get('/ok', ...fields(LISTENER_LIMITS.headerFields))).toMatch('HTTP/1.1 200');
    expect(await get('/ok', ...fields(LISTENER_LIMITS.headerFields + 1))).toMatch('HTTP/1.1 431');
  });

  it('the body, and no part of the path that fits into the head', async () => {
    const server = fastify(fastifyOptions({ commonHeaders: { 'x-common': 'yes' }, logger }));
    server.get('/:part', () => 'ok');
    server.post('/', () => 'ok');
    const other = await listen(server, { host: '127.0.0.1', port: 0, portSetting: 'PORT' });
    try {
      const { bodyBytes, headBytes } = LISTENER_LIMITS;
      const longest = await fetch(`${other.url}/${'x'.repeat(headBytes - 1_000)}`);
      expect(longest.status).toBe(200);
      const malformed = await fetch(`${other.url}/%ff`);
      expect([malformed.status, malformed.headers.get('x-common')]).toEqual([400, 'yes']);
      const send = async (bytes: number) =>
        (await fetch(other.url, { method: 'POST', body: JSON.stringify('x'.repeat(bytes - 2)), headers: JSON_BODY }))
          .status;
      expect(await send(bodyBytes)).toBe(200);
      expect(await send(bodyBytes + 1)).toBe(413);
    } finally {
      await other.close();
    }
  });

  describe('pipelined requests', () => {
    let [begun, running, most] = [0, 0, 0];
    let other: Listener;

    beforeAll(async () => {
      const server = fastify(fastifyOptions({ commonHeaders: {}, logger }));
      server.get('/wait', async () => {
        const number = begun++;
        most = Math.max(most, ++running);
        await setImmediate();
        running--;
        return `<${number}>`;
      });
      other = await listen(server, { host: '127.0.0.1', port: 0, portSetting: 'PORT' });
    });

    afterAll(() => other.close());

    /** Sends requests over one connection, and returns what is received until all are answered or it is closed. */
    async function pipeline(count: number): Promise<string> {
      [begun, most] = [0, 0];
      const socket = connect(other.port, '127.0.0.1');
      let received = '';
      socket.on('data', (bytes) => (received += bytes.toString())).on('error', () => undefined);
      const closed = new Promise((resolve) => socket.on('close', resolve));
      const isAnswered = () => (received.match(/<\d+>/g) ?? []).length === count;
      socket.write('GET /wait HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(count));
      await expect.poll(() => isAnswered() || socket.destroyed).toBe(true);
      socket.destroy();
      await closed;
      return received;
    }

    it('are answered one after the other', async () => {
      const count = LISTENER_LIMITS.pipelinedRequests + 1;
      const received = await pipeline(count);
      expect(most).toBe(1);
      expect(received.match(/<\d+>/g)).toEqual(Array.from({ length: count }, (_, at) => `<${at}>`));
    });

    it('close their connection if too many of them wait, and those of a closed connection wait no longer', async () => {
      const limit = LISTENER_LIMITS.pipelinedRequests;
      await pipeline(20 * limit);
      expect(begun).toBeLessThan(limit);
      expect((await pipeline(limit)).match(/<\d+>/g)).toHaveLength(limit);
      expect(most).toBe(1);
    });
  });

  it('the time that a request takes to arrive', async () => {
    expect(await fire({ name: 'half', chunks: ['GET /ok HTTP/1.1\r\n'] }, listener.port)).toMatch('HTTP/1.1 408');
  }, 60_000);
});

it('responds to an exception of a handler with 500 and logs it, without details for the client', async () => {
  const response = await fetch(`${listener.url}/broken`);
  expect(response.status).toBe(500);
  expect(await response.text()).not.toContain('secret');
  expect(logged.splice(0).join()).toContain('a secret of ours');
});

it('listens on all addresses of both families for `::`', async () => {
  const both = await start('::');
  try {
    expect((await fetch(`http://127.0.0.1:${both.port}/ok`)).status).toBe(200);
    expect((await fetch(`${both.url}/ok`)).status).toBe(200);
  } finally {
    await both.close();
  }
});

it('reports what to do if the port is in use', async () => {
  const { port } = listener;
  const second = startTextListener({ host: '127.0.0.1', port, portSetting: 'PORT', answers: {}, logger });
  await expect(second).rejects.toThrow(/port \d+ is in use.*PORT/);
});
