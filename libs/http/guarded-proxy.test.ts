import { once } from 'node:events';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { execFile } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { fireHostilePackets } from '#support/hostile-packets.js';
import { ForbiddenAddress } from './forbidden-address.js';
import { startGuardedProxy } from './guarded-proxy.js';
import type { GuardedProxy } from './guarded-proxy.js';
import type { AddressPolicy } from './address-policy.js';
import { startHttpServer } from './testing/http-server.js';

let proxy: GuardedProxy;

afterEach(() => proxy[Symbol.asyncDispose]());

async function start(policy: AddressPolicy = 'private-allowed'): Promise<void> {
  proxy = await startGuardedProxy({ policy, signal: new AbortController().signal });
}

/** Returns the output of curl for `url`, fetched through the proxy. Rejects if curl fails. */
async function curl(url: string, via = proxy.url): Promise<string> {
  const env = { PATH: process.env['PATH'] };
  return (await promisify(execFile)('curl', ['-sSL', '--max-time', '10', '--proxy', via, url], { env })).stdout;
}

describe('a program behind the proxy', () => {
  it('reaches what the policy allows, by address and by name', async () => {
    await using server = await startHttpServer((_, response) => void response.end('here'));
    await start();
    expect(await curl(server.url)).toBe('here');
    expect(await curl(server.url.replace('127.0.0.1', 'localhost'))).toBe('here');
    expect(proxy.failure).toBeUndefined();
    expect(proxy.triedPrivate).toBe(true);
  });

  it.each(['127.0.0.1', 'localhost', '[::1]', '[::ffff:127.0.0.1]', '0x7f000001', '0177.0.0.1', '2130706433'])(
    'cannot connect to %s if only public addresses are allowed',
    async (host) => {
      await using server = await startHttpServer((_, response) => void response.end('here'));
      await start('public-only');
      await expect(curl(`http://${host}:${new URL(server.url).port}/`)).rejects.toThrow('proxy');
      expect(server.requests).toEqual([]);
      expect(proxy.failure).toBeInstanceOf(ForbiddenAddress);
    },
  );

  it('never reaches metadata', async () => {
    await start();
    await expect(curl('http://169.254.169.254/latest/meta-data/')).rejects.toThrow('proxy');
    await expect(curl('http://[fd00:ec2::254]/')).rejects.toThrow('proxy');
  });

  it('gets the reason why a connection failed', async () => {
    await start();
    await expect(curl('http://127.0.0.1:1/')).rejects.toThrow('proxy');
    expect(proxy.failure).toMatchObject({ code: 'ECONNREFUSED' });
    await expect(curl('http://no-such-host.invalid/')).rejects.toThrow('proxy');
    expect(proxy.failure).toMatchObject({ code: 'ENOTFOUND' });
  });
});

describe('another process', () => {
  it('cannot use the proxy without its password', async () => {
    await using server = await startHttpServer((_, response) => void response.end('here'));
    await start();
    const wrong = new URL(proxy.url);
    wrong.password = 'guessed';
    await expect(curl(server.url, wrong.href)).rejects.toThrow('curl');
    wrong.username = wrong.password = '';
    await expect(curl(server.url, wrong.href)).rejects.toThrow('curl');
    expect(server.requests).toEqual([]);
  });

  it.each([
    ['nothing', ''],
    ['another protocol', 'GET / HTTP/1.1\r\n\r\n'],
    ['SOCKS 4', '\x04\x01\x00\x50\x7f\x00\x00\x01\x00'],
    ['half a greeting', '\x05\xff\x00'],
  ])('is disconnected when it sends %s', async (_, bytes) => {
    await start();
    const socket = connect(Number(new URL(proxy.url).port), '127.0.0.1');
    socket.on('error', () => undefined).resume();
    socket.end(Buffer.from(bytes, 'latin1'));
    await once(socket, 'close');
    expect(proxy.triedPrivate).toBe(false);
  });
});

it('survives hostile packets of other processes on the machine', async () => {
  await using server = await startHttpServer((_, response) => void response.end('here'));
  await start();
  const answers = await fireHostilePackets(Number(new URL(proxy.url).port));
  expect(answers.size).toBeGreaterThan(100);
  expect(await curl(server.url)).toBe('here');
}, 60_000);
