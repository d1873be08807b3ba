import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { expect, it } from 'vitest';
import { toFailure } from '#activities/failure.js';
import type { SslMode } from '#domain/ssl-mode.js';
import { withClient } from './database-client.js';
import { DatabaseFault, detailOf } from './database-fault.js';

const access = { user: 'app', password: 'p', database: 'd', host: '127.0.0.1' };

/** Listens with a server that is not Postgres. Returns the port. */
async function listen(greet: (socket: Socket) => void): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    greet(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: async () => void server.close() };
}

async function faultAt(place: {
  readonly host?: string;
  readonly port: number;
  readonly sslMode?: SslMode;
}): Promise<DatabaseFault> {
  const error = await withClient({ ...access, ...place }, async () => undefined).catch((thrown: unknown) => thrown);
  if (!(error instanceof DatabaseFault)) throw error;
  return error;
}

it('has the same message for a closed port, an unknown name and other services', async () => {
  const closed = await listen(() => undefined);
  await closed[Symbol.asyncDispose]();
  await using http = await listen((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await using ssh = await listen((socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n'));
  await using hangsUp = await listen((socket) => socket.destroy());
  const places = [closed, http, ssh, hangsUp, { host: 'no-such-service.invalid', port: 5432 }];
  const faults = await Promise.all(places.map((place) => faultAt(place)));
  expect(new Set(faults.map(({ detail }) => detail.replace(/ at \S+/, ''))).size).toBeGreaterThan(2);
  const shown = faults.map(({ reason, destiny, message }) => `${reason} ${destiny} ${message.replace(/ at \S+/, '')}`);
  expect(new Set(shown).size).toBe(1);
  expect(shown[0]).toMatch(/^DatabaseUnreachable retry cannot connect to database d as app/);
});

it('reveals no more to a workflow or a status, whichever activity finds the error', async () => {
  await using ssh = await listen((socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n'));
  const fault = await faultAt(ssh);
  expect(fault.detail).toContain('unexpected');
  expect(toFailure(fault)).toMatchObject({ type: 'DatabaseUnreachable', message: fault.message });
  expect(fault.message).not.toContain('unexpected');
});

it('explains the response of a Postgres server', async () => {
  await using plain = await listen((socket) => socket.once('data', () => socket.write('N')));
  const fault = await faultAt({ ...plain, sslMode: 'require' });
  expect(fault).toMatchObject({ reason: 'DatabaseTLSFailed', message: expect.stringContaining('turn TLS on') });
  expect(detailOf(fault)).toBe(`${fault.reason}: ${fault.message}`);
});
