import { once } from 'node:events';
import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import { expect, it, onTestFinished } from 'vitest';
import { Overloaded } from '../byte-budget.js';
import { AnswerMemory } from './answer-memory.js';
import { admitText, sendTagged } from './tagged-answer.js';

/** More than the buffers of a connection hold, so that the response to a client that does not read stays open. */
const TEXT = JSON.stringify('x'.repeat(16 * 1024 * 1024));

/** Serves a text with a memory limit that has room for only one response. */
async function serve(): Promise<{ memory: AnswerMemory; ask: () => Promise<IncomingMessage> }> {
  const memory = new AnswerMemory(Math.ceil(TEXT.length * 1.5));
  const server = fastify();
  server.setErrorHandler((error, _, reply) => reply.code(error instanceof Overloaded ? 503 : 500).send());
  server.get('/', async (request, reply) => {
    const body = () => admitText(TEXT, memory.memory);
    await sendTagged(request, reply, { tag: 't', headers: {}, changedAtMs: 0, body }, memory);
    return reply;
  });
  await server.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => server.close());
  const { port } = server.server.address() as AddressInfo;
  const ask = async () => {
    const request = get({ host: '127.0.0.1', port, agent: false }).on('error', () => undefined);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    onTestFinished(() => void request.destroy());
    return response.on('error', () => undefined);
  };
  return { memory, ask };
}

it('reserves the memory of a response until it is sent or its client has disconnected', async () => {
  const { memory, ask } = await serve();
  const unread = await ask();
  expect(memory.memory.usedBytes).toBe(TEXT.length);
  expect((await ask()).statusCode).toBe(503);
  unread.destroy();
  await expect.poll(() => memory.memory.usedBytes).toBe(0);

  const read = await ask();
  expect(read.statusCode).toBe(200);
  for await (const _ of read);
  await expect.poll(() => memory.memory.usedBytes).toBe(0);
});

it('rejects a response that exceeds the memory, and does not count a small one', async () => {
  const { memory } = await serve();
  expect(() => admitText(TEXT.repeat(2), memory.memory)).toThrow(Overloaded);
  const { bytes, release } = admitText('small', memory.memory);
  expect([bytes.toString(), memory.memory.usedBytes]).toEqual(['small', 0]);
  release();
});
