import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { fastify } from 'fastify';
import { pino } from 'pino';
import { ImportThreads } from '#activities/sync/import-threads.js';
import { onlyRegistry } from '#registry-api/served-registry.js';
import type { ServedRegistry } from '#registry-api/served-registry.js';
import { parseRegistrySpec } from '#spec/registry-spec.js';
import { startRegistryApi } from '#registry-api/start-registry-api.js';
import { LoopWatch } from '../loop-watch.js';
import type { Question, Served, Started, Usage } from './server-process.js';

/** The child process of server-process.ts. */
const loop = new LoopWatch();
const threads = new ImportThreads({ threads: 1, memoryMiB: 512, deadlineMs: 600_000 });

process.once('message', (served: Served) => {
  void (served.kind === 'api' ? serveApi(served) : serveBare(served)).then((started) => {
    process.send?.(started);
    process.on('message', (question: Question) => void answer(question).then((answered) => process.send?.(answered)));
  });
});
process.once('disconnect', () => process.exit());

async function answer(question: Question): Promise<object | string> {
  switch (question) {
    case 'usage':
      return usage();
    case 'watch':
      loop.start();
      return 'watching';
    case 'longestBlock':
      return loop.stop();
    default:
      // The import runs in a thread of this process, as in the product.
      return threads.run(question, { signal: new AbortController().signal, progress: () => undefined });
  }
}

function usage(): Usage {
  const { user, system } = process.cpuUsage();
  return { cpuMicros: user + system, rssMegabytes: Math.round(process.memoryUsage.rss() / 1e6) };
}

async function serveApi({
  database,
  namespace,
  registry,
  auth = { mode: 'anonymous' },
}: Served & { kind: 'api' }): Promise<Started> {
  const api = await startRegistryApi({
    database,
    host: '127.0.0.1',
    port: 0,
    internalPort: 0,
    registries: onlyRegistry({ namespace, name: registry, sources: [], auth: readAuth(auth) }),
    // A bench has no Secrets and ConfigMaps to resolve.
    references: { configMapKey: nothing, secretKey: nothing },
    syncNow: nothing,
    version: { version: '0', commit: '', buildDate: '' },
    logger: pino({ level: 'info' }, pino.destination('/dev/null')),
  });
  loop.start();
  const listeningAt = performance.now();
  while (!api.ready().ready) await api.catalogue.nextChange();
  const loadMs = performance.now() - listeningAt;
  return { port: Number(new URL(api.url).port), loadMs, longestBlock: loop.stop() };
}

function readAuth(auth: object): ServedRegistry['auth'] {
  const read = parseRegistrySpec({ auth });
  if ('faults' in read) throw new Error('the auth of the bench has faults');
  return read.spec.auth;
}

/** Serves one response from one Buffer on each path. A 304 is sent only to clients with a matching ETag. */
async function serveBare({ answers }: Served & { kind: 'bare' }): Promise<Started> {
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
  return { port: (server.server.address() as AddressInfo).port, loadMs: 0, longestBlock: loop.stop() };
}

function nothing(): Promise<never> {
  return Promise.reject(new Error('there is nothing around this server'));
}
