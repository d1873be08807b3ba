import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { NegotiatedSocket } from './negotiated-socket.js';

const server = createServer();
let accepted: Socket[];

beforeEach(async () => {
  accepted = [];
  server.on('connection', (socket) => {
    accepted.push(socket);
    socket.on('error', () => undefined).write('hello');
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
});

afterEach(async () => {
  for (const socket of accepted) socket.destroy();
  server.removeAllListeners('connection');
  await new Promise((resolve) => server.close(resolve));
});

async function connected(silenceMs: number): Promise<NegotiatedSocket> {
  const socket = new NegotiatedSocket({ sslMode: 'disable' }, silenceMs);
  await once(socket.connect((server.address() as AddressInfo).port, '127.0.0.1'), 'connect');
  return socket;
}

it('takes a server for dead that says nothing for too long', async () => {
  const socket = await connected(200);
  socket.resume();
  const [error] = (await once(socket, 'error')) as [Error];
  expect(error.message).toBe('the server has said nothing for 0.2 s');
  expect(socket.destroyed).toBe(true);
});

it('waits for as long as something comes', async () => {
  const socket = await connected(4_000);
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => (bytes += chunk.length)).on('error', () => undefined);
  const talking = setInterval(() => accepted[0]?.write('.'), 500);
  try {
    // Longer than the silence that it would bear.
    await expect.poll(() => bytes).toBeGreaterThan(5 + 10);
    expect(socket.destroyed).toBe(false);
  } finally {
    clearInterval(talking);
    socket.destroy();
  }
});
