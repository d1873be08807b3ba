import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startHttpServer, startTcpServer } from '#http/testing/http-server.js';
import { gitSource } from '../git.source.js';
import type { GitSpec } from './git-spec.js';
import type { SourceContext } from '../context.js';
import { startGitHttpServer } from '../testing/git-http-server.js';
import { createGitRepository } from '../testing/git-repository.js';
import type { GitRepository } from '../testing/git-repository.js';
import { createSourceContext } from '../testing/source-context.js';
import type { TestContext } from '../testing/source-context.js';
import { sshd, startSshServer } from '../testing/ssh-server.js';

let repository: GitRepository;
let context: TestContext;

beforeEach(async () => {
  repository = await createGitRepository();
  await repository.commit({ 'registry.json': '{}' });
  context = await createSourceContext();
});

afterEach(async () => {
  await repository[Symbol.asyncDispose]();
  await context[Symbol.asyncDispose]();
});

const spec = (fields: Record<string, unknown>): GitSpec => gitSource.spec.parse(fields);

async function fetchFile(given: GitSpec, used: SourceContext = context): Promise<string> {
  const revision = await gitSource.resolve(given, used);
  await gitSource.download(given, revision, context.target, used);
  return readFile(context.target, 'utf8');
}

const failureOf = (
  given: GitSpec,
  used: SourceContext = context,
): Promise<{ reason: string; message: string; destiny: string }> =>
  fetchFile(given, used).then(
    () => Promise.reject(new Error('it was read')),
    (error: unknown) => error as { reason: string; message: string; destiny: string },
  );

const nameOf = ({ directory }: GitRepository) => directory.split('/').at(-1);

describe('a host that git must not connect to', () => {
  it.each([
    'http://127.0.0.1',
    'http://localhost',
    'http://[::1]',
    'ssh://git@127.0.0.1',
    'ssh://git@localhost',
    'git://localhost',
  ])('gets no connection: %s', async (base) => {
    let connections = 0;
    await using server = await startTcpServer(() => void connections++);
    context.secrets.set('ssh/key', 'PRIVATE KEY').set('ssh/hosts', 'localhost ssh-ed25519 AAAA');
    const ssh = { sshKeySecretRef: { name: 'ssh', key: 'key' }, knownHostsSecretRef: { name: 'ssh', key: 'hosts' } };
    const given = spec({
      repository: `${base}:${new URL(server.url).port}/x.git`,
      ...(base.startsWith('ssh') && { auth: ssh }),
    });
    const used = context.with({ addressPolicy: 'public-only', allowLocalGit: true });
    const failure = await failureOf(given, used);
    expect(failure).toMatchObject({ reason: 'FetchFailed', destiny: 'wait' });
    expect(failure.message).toContain('a private address, to which requests are not allowed');
    expect(failure.message).not.toContain('leads to 127');
    expect(connections).toBe(0);
  });

  it('is not reached by a redirect', async () => {
    let connections = 0;
    await using metadata = await startTcpServer(() => void connections++);
    await using first = await startHttpServer((request, response) => {
      const target = `http://169.254.169.254:${new URL(metadata.url).port}${request.url}`;
      response.writeHead(302, { location: target }).end();
    });
    const failure = await failureOf(spec({ repository: `${first.url}/x.git` }));
    expect(failure.message).toContain('a link-local, metadata or reserved address, to which requests are not allowed');
    expect(connections).toBe(0);
  });

  it('is not reached by a name that git would resolve itself', async () => {
    await using server = await startGitHttpServer({ repository: repository.directory });
    const url = `${server.url.replace('127.0.0.1', 'localhost')}/${nameOf(repository)}`;
    // The name goes to the guarded proxy, which resolves it. git itself resolves no name.
    expect(await fetchFile(spec({ repository: url }))).toBe('{}');
    expect(server.requests.length).toBeGreaterThan(0);
  });
});

describe('a proxy of the site', () => {
  const used = (environment: Record<string, string>) =>
    context.with({ environment: { PATH: process.env['PATH'], ...environment } });

  it('is used for hosts that are not in NO_PROXY', async () => {
    await using server = await startGitHttpServer({ repository: repository.directory });
    const asked: (string | undefined)[] = [];
    await using proxy = await startHttpServer((request, response) => {
      asked.push(request.url);
      response.writeHead(503).end();
    });
    const given = spec({ repository: `${server.url}/${nameOf(repository)}` });
    expect(await failureOf(given, used({ http_proxy: proxy.url }))).toMatchObject({ reason: 'Unreachable' });
    expect(asked[0]).toContain(server.url);
    expect(await fetchFile(given, used({ http_proxy: proxy.url, NO_PROXY: 'example.com,127.0.0.1' }))).toBe('{}');
  });

  it('does not lead to a metadata address', async () => {
    await using proxy = await startHttpServer((_, response) => void response.writeHead(200).end());
    const failure = await failureOf(
      spec({ repository: 'http://169.254.169.254/x.git' }),
      used({ http_proxy: proxy.url }),
    );
    expect(failure.message).toContain('to which requests are not allowed');
    expect(proxy.requests).toEqual([]);
  });
});

describe('a private host whose state must stay hidden', () => {
  it('fails with the same message, whatever listens there', async () => {
    const causes: string[] = [];
    const used = context.with({ concealedCause: (cause) => causes.push(cause), fetchTimeoutMs: 2_000 });
    await using page = await startHttpServer((_, response) => void response.end('<html>admin'));
    await using missing = await startHttpServer((_, response) => void response.writeHead(404).end());
    await using closed = await startHttpServer((_, response) => void response.writeHead(401).end());
    await using hanging = await startTcpServer(() => undefined);
    const bases = [page.url, missing.url, closed.url, hanging.url, 'http://127.0.0.1:1', 'https://127.0.0.1:1'];
    const failures = await Promise.all(
      bases.map(async (base, index) => {
        await using own = await createSourceContext();
        const failure = await failureOf(spec({ repository: `${base}/x.git` }), {
          ...used,
          cacheDirectory: `${own.directory}/${index}`,
        });
        return { ...failure, message: failure.message.replace(`${base}/x.git`, 'URL') };
      }),
    );
    for (const failure of failures) {
      expect(failure).toMatchObject({ reason: 'Unreachable', destiny: 'retry' });
      expect(failure.message).toBe(failures[0]?.message);
      expect(failure.message).toMatch(/^URL cannot be read\. It has a private address/);
    }
    expect(new Set(causes).size).toBe(bases.length);
  });

  it('still reports a missing branch of a repository', async () => {
    await using server = await startGitHttpServer({ repository: repository.directory });
    const used = context.with({ concealedCause: () => undefined });
    const given = spec({ repository: `${server.url}/${nameOf(repository)}`, branch: 'absent' });
    expect(await failureOf(given, used)).toMatchObject({ reason: 'RefNotFound' });
  });
});

describe.skipIf(!sshd)('a real ssh server', () => {
  it('is reached at the checked address and identified by its name and port', async () => {
    await using server = await startSshServer();
    const hosts = `[localhost]:${server.port} ${server.hostKey}`;
    context.secrets.set('ssh/key', server.key).set('ssh/hosts', hosts);
    const auth = { sshKeySecretRef: { name: 'ssh', key: 'key' }, knownHostsSecretRef: { name: 'ssh', key: 'hosts' } };
    const given = spec({ repository: `ssh://${server.user}@localhost:${server.port}${repository.directory}`, auth });
    expect(await fetchFile(given)).toBe('{}');

    context.secrets.set('ssh/hosts', `localhost ${server.hostKey}`);
    expect(await failureOf(given)).toMatchObject({ reason: 'AuthFailed' });
  });
});
