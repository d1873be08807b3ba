import { randomInt } from 'node:crypto';
import { isPortFree } from '#temporal/free-port.js';

/** The lowest port, well below the range that the system uses for outgoing connections. */
const LOWEST_PORT = 20_000;
/**
 * Distance between two assigned ports. If a server finds its port busy, it may take the next one, which is never
 * assigned.
 */
const APART = 10;
/**
 * Number of ports per worker. A port is bound only seconds after it was found, so concurrent workers use separate
 * ranges.
 */
const PORTS_PER_WORKER = 120;
const WORKERS = 6;

const worker = Number(process.env['VITEST_POOL_ID'] ?? 0) % WORKERS;
let tried = randomInt(PORTS_PER_WORKER);

/** Returns a free port on 127.0.0.1, a different one each time. */
export async function nextFreePort(): Promise<number> {
  for (;;) {
    const port = LOWEST_PORT + APART * (worker * PORTS_PER_WORKER + (tried++ % PORTS_PER_WORKER));
    if (await isPortFree(port)) return port;
  }
}
