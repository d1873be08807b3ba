import { createServer, get } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { API_LIMITS } from '../../limits.js';
import { PreviewSlots } from './preview-slots.js';
import type { Rest } from './preview-slots.js';

/** Returns the response object of a pending request, and a function that disconnects the client. */
async function open(): Promise<{ response: ServerResponse; leave: () => Promise<unknown> }> {
  const asked = Promise.withResolvers<ServerResponse>();
  const server = createServer((_, response) => asked.resolve(response)).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const request = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
  request.on('error', () => undefined);
  const response = await asked.promise;
  const leave = () => {
    const closed = new Promise((resolve) => response.once('close', resolve));
    request.destroy();
    return closed;
  };
  onTestFinished(() => void request.destroy());
  return { response, leave };
}

const forever = async (rest: Rest): Promise<never> => {
  for (;;) {
    await rest();
    await setImmediate();
  }
};

it('rejects a second preview of a registry, and one above the limit, before any of its work', async () => {
  const slots = new PreviewSlots();
  const { response } = await open();
  const first = Promise.withResolvers<string>();
  const running = Array.from({ length: API_LIMITS.preview.concurrent }, (_, at) =>
    slots.run(`r${at}`, response, () => first.promise),
  );
  let isBegun = false;
  const begin = async () => void (isBegun = true);
  await expect(slots.run('r0', response, begin)).rejects.toThrow('another preview is in progress');
  await expect(slots.run('more', response, begin)).rejects.toThrow('another preview is in progress');
  expect(isBegun).toBe(false);
  // After a refusal, the slot still belongs to its holder.
  await expect(slots.run('r0', response, begin)).rejects.toThrow('another preview is in progress');
  first.resolve('done');
  expect(await Promise.all(running)).toEqual(running.map(() => 'done'));
  await slots.run('r0', response, begin);
  expect(isBegun).toBe(true);
});

it('frees the slot of a preview that fails, even in its first step', async () => {
  const slots = new PreviewSlots();
  const { response } = await open();
  for (let time = 0; time <= API_LIMITS.preview.concurrent; time++) {
    const failing = slots.run('r', response, () => {
      throw new Error('no spec');
    });
    await expect(failing).rejects.toThrow('no spec');
  }
});

it('aborts a preview at its deadline, with a delay for the retry', async () => {
  const { response } = await open();
  await expect(new PreviewSlots(20).run('r', response, forever)).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringContaining('takes longer than 0.02 s'),
    details: { retryAfterSeconds: 10 },
  });
});

it('aborts a preview whose client has disconnected, even before it started', async () => {
  const slots = new PreviewSlots();
  const { response, leave } = await open();
  const running = expect(slots.run('r', response, forever)).rejects.toThrow('the client has closed the connection');
  await leave();
  await running;
  await expect(slots.run('r', response, forever)).rejects.toThrow('the client has closed the connection');
});
