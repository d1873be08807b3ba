import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fastify } from 'fastify';
import { pino } from 'pino';
import { ImportThreads } from '#activities/sync/import-threads.js';
import type { ImportJob } from '#activities/sync/import-threads.js';
import { onlyRegistry } from '#registry-api/served-registry.js';
import { startRegistryApi } from '#registry-api/start-registry-api.js';
import type { Served, Started, Usage } from './server-process.js';

/** The child of server-process.ts. */
const RESOLUTION_MS = 1;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

process.once('message', (served: Served) => {
  delay.enable();
  void (served.kind === 'api' ? serveApi(served) : serveBare(served)).then((started) => {
    const longestBlockMs = takeLongestBlock();
    process.on('message', (asked: 'usage' | ImportJob) => {
      if (asked === 'usage') process.send?.(usage());
      else void importing(asked);
    });
    process.send?.({ ...started, longestBlockMs } satisfies Started);
  });
});
process.once('disconnect', () => process.exit());

const threads = new ImportThreads({ threads: 1, memoryMiB: 512, deadlineMs: 600_000 });

/** In a thread of this process, as the product does it. */
async function importing(job: ImportJob): Promise<void> {
  await threads.run(job, { signal: new AbortController().signal, progress: () => undefined });
  process.send?.('imported');
}

function usage(): Usage {
  const { user, system } = process.cpuUsage();
  const longestBlockMs = takeLongestBlock();
  return { cpuMicros: user + system, rssMegabytes: Math.round(process.memoryUsage.rss() / 1e6), longestBlockMs };
}

/** The timer that measures sleeps this long by itself. */
function takeLongestBlock(): number {
  const longest = delay.max / 1e6 - RESOLUTION_MS;
  delay.reset();
  return Math.max(0, longest);
}

async function serveApi({
  database,
  namespace,
  registry,
}: Served & { kind: 'api' }): Promise<Omit<Started, 'longestBlockMs'>> {
  const api = await startRegistryApi({
    database,
    host: '127.0.0.1',
    port: 0,
    internalPort: 0,
    registries: onlyRegistry({ namespace, name: registry, auth: { mode: 'anonymous' } }),
    // Nothing is around it that it could ask.
    references: { configMapKey: nothing, secretKey: nothing },
    syncNow: nothing,
    version: { version: '0', commit: '', buildDate: '' },
    logger: pino({ level: 'info' }, pino.destination('/dev/null')),
  });
  const listeningAt = performance.now();
  await api.catalogue.nextChange();
  return { port: Number(new URL(api.url).port), loadMs: performance.now() - listeningAt };
}

/** Each path sends one answer from one Buffer; what is sent without a body, to those who have it only. */
async function serveBare({ answers }: Served & { kind: 'bare' }): Promise<Omit<Started, 'longestBlockMs'>> {
  const server = fastify();
  for (const [path, { status, headers, body: file }] of Object.entries(answers)) {
    const body = await readFile(file);
    server.get(path, (request, reply) => {
      reply.headers(headers);
      return status === 304 && request.headers['if-none-match'] === headers['etag']
        ? reply.code(304).send()
        : reply.send(body);
    });
  }
  await server.listen({ host: '127.0.0.1', port: 0 });
  return { port: (server.server.address() as AddressInfo).port, loadMs: 0 };
}

function nothing(): Promise<never> {
  return Promise.reject(new Error('there is nothing around this server'));
}
