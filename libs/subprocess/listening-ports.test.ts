import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { listensOn } from './listening-ports.js';

it('reports which process listens on a port', async () => {
  const stranger = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)']);
  await once(stranger, 'spawn');
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  expect(await listensOn(process.pid, port)).toBe(true);
  expect(await listensOn(stranger.pid as number, port)).toBe(false);

  await once(server.close(), 'close');
  expect(await listensOn(process.pid, port)).toBe(false);
  stranger.kill();
});
