import { randomInt } from 'node:crypto';
import { isPortFree } from '#temporal/free-port.js';

/** Below the ports that the system gives to outgoing connections, which come and go. */
const LOWEST_PORT = 20_000;
/** Distance of two ports that are given out: a server that finds its port busy may take the next one, which is given to none. */
const APART = 10;
/** A port is bound seconds after it was found: workers that run at the same time look at different ones. */
const PORTS_PER_WORKER = 120;
const WORKERS = 6;

const worker = Number(process.env['VITEST_POOL_ID'] ?? 0) % WORKERS;
let tried = randomInt(PORTS_PER_WORKER);

/** On 127.0.0.1; another one each time. */
export async function nextFreePort(): Promise<number> {
  for (;;) {
    const port = LOWEST_PORT + APART * (worker * PORTS_PER_WORKER + (tried++ % PORTS_PER_WORKER));
    if (await isPortFree(port)) return port;
  }
}
