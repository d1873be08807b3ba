import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

const exec = promisify(execFile);

const SERVERS = Array.from({ length: 50 }, (_, index) => ({
  name: `io.example/server-${index}`,
  description: `Server number ${index}`,
  version: '1.0.0',
}));
const CATALOGUE = JSON.stringify({
  version: '1.0.0',
  meta: { last_updated: '2026-11-22T00:00:00Z' },
  data: { servers: SERVERS },
});
const FILE = 'catalogue.json';
const REPOSITORY = 'https://git.example/catalogue.git';

export type Kind = 'git' | 'configMapRef' | 'api' | 'dead';

const NAMES: Readonly<Record<Kind, readonly string[]>> = {
  git: numbered('git', 9),
  configMapRef: numbered('map', 5),
  api: numbered('api', 5),
  dead: ['dead'],
};

export interface TwentySources extends AsyncDisposable {
  readonly manifest: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly names: typeof NAMES;
}

/** Opens sources whose content never changes, and one at a host that accepts connections and then sends nothing. */
export async function openTwentySources(directory: string, interval: string): Promise<TwentySources> {
  const repository = join(directory, 'repository');
  await createRepository(repository);
  const [api, silent] = [createHttpServer(answerList), createServer(() => undefined)];
  const [apiUrl, silentUrl] = [await listen(api), await listen(silent)];

  const blocks: Readonly<Record<Kind, object>> = {
    git: { format: 'upstream', git: { repository: REPOSITORY, path: FILE } },
    configMapRef: { format: 'upstream', configMapRef: { name: 'catalogue', key: FILE } },
    api: { api: { endpoint: apiUrl } },
    dead: { git: { repository: `${silentUrl}/dead.git` } },
  };
  const registries = Object.entries(blocks).flatMap(([kind, block]) =>
    NAMES[kind as Kind].map((name) => ({ name, ...block, syncPolicy: { interval } })),
  );
  const documents = [
    {
      apiVersion: 'toolhive.stacklok.dev/v1alpha1',
      kind: 'MCPRegistry',
      metadata: { name: 'twenty' },
      spec: { auth: { mode: 'anonymous' }, registries },
    },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'catalogue' }, data: { [FILE]: CATALOGUE } },
  ];
  const manifest = join(directory, 'manifest.yaml');
  await writeFile(manifest, documents.map((document) => JSON.stringify(document)).join('\n---\n'));
  return {
    manifest,
    environment: { SOURCE_URL_REWRITES: `${REPOSITORY}=file://${repository}` },
    names: NAMES,
    async [Symbol.asyncDispose]() {
      await Promise.all([close(api), close(silent)]);
    },
  };
}

function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name}-${index + 1}`);
}

async function createRepository(directory: string): Promise<void> {
  await mkdir(directory);
  await writeFile(join(directory, FILE), CATALOGUE);
  const identity = ['-c', 'user.name=bench', '-c', 'user.email=bench@example.com'];
  for (const args of [
    ['init', '--quiet', '--initial-branch=main'],
    ['add', '--all'],
    [...identity, 'commit', '--quiet', '--message=catalogue'],
  ]) {
    await exec('git', args, { cwd: directory });
  }
}

/** Serves as much of the generic registry API as a source needs: one page, and an empty list for `updated_since`. */
function answerList({ url = '' }: IncomingMessage, response: ServerResponse): void {
  const since = new URL(url, 'http://localhost').searchParams.get('updated_since');
  const official = { status: 'active', updatedAt: '2026-01-01T00:00:00Z', publishedAt: '2026-01-01T00:00:00Z' };
  const _meta = { 'io.modelcontextprotocol.registry/official': official };
  const servers = since === null ? SERVERS.map((server) => ({ server, _meta })) : [];
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ servers, metadata: { count: servers.length } }));
}

const sockets = new WeakMap<Server, Set<Socket>>();

async function listen(server: Server): Promise<string> {
  const open = new Set<Socket>();
  sockets.set(server, open);
  server.on('connection', (socket) => open.add(socket.on('close', () => open.delete(socket))));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function close(server: Server): Promise<void> {
  for (const socket of sockets.get(server) ?? []) socket.destroy();
  await once(server.close(), 'close');
}
