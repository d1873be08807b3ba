import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import type { Load, LoadResult } from './load.js';

const TICK_MS = 50;

process.on('message', (load: Load) => void send(load).then((result) => process.send?.(result)));

async function send({
  url,
  connections,
  durationMs,
  tokens,
  strangers,
  strangersPerSecond,
}: Load): Promise<LoadResult> {
  const { origin, pathname, search } = new URL(url);
  const pool = new Pool(origin, { connections });
  const others = new Pool(origin, { connections: 4 });
  const ask = async (from: Pool, token: string | undefined) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const { statusCode, body } = await from.request({ path: `${pathname}${search}`, method: 'GET', headers });
    await body.dump();
    return statusCode;
  };

  const latencies: number[] = [];
  let wrong = 0;
  let next = 0;
  const startedAt = performance.now();
  const isOver = () => performance.now() - startedAt > durationMs;
  const askInTurn = async () => {
    while (!isOver()) {
      const sentAt = performance.now();
      const status = await ask(pool, tokens[next++ % tokens.length]);
      latencies.push(performance.now() - sentAt);
      if (status !== 200) wrong++;
    }
  };
  const flood = async () => {
    const pending: Promise<void>[] = [];
    while (!isOver()) {
      const due = ((performance.now() - startedAt) / 1000) * strangersPerSecond;
      while (pending.length < due) {
        const asked = ask(others, strangers[pending.length % strangers.length]);
        pending.push(asked.then((status) => void (wrong += status === 401 ? 0 : 1)));
      }
      await delay(TICK_MS);
    }
    await Promise.all(pending);
  };
  await Promise.all([flood(), ...Array.from({ length: connections }, askInTurn)]);
  const seconds = (performance.now() - startedAt) / 1000;
  await Promise.all([pool.close(), others.close()]);
  latencies.sort((a, b) => a - b);
  return { answered: latencies.length, wrong, seconds, p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? 0 };
}
