import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { referredKeys } from '#domain/object-field.js';
import { startTcpServer } from '#http/testing/http-server.js';
import { startGitHttpServer } from './testing/git-http-server.js';
import type { GitHttpOptions, GitHttpServer } from './testing/git-http-server.js';
import { createGitRepository } from './testing/git-repository.js';
import type { GitRepository } from './testing/git-repository.js';
import { createSourceContext } from './testing/source-context.js';
import type { TestContext } from './testing/source-context.js';
import { gitSource } from './git.source.js';
import type { GitSpec } from './git/git-spec.js';
import type { SourceContext } from './context.js';

const PUBLIC_URL = 'https://git.example.com/team/catalogue.git';

let repository: GitRepository;
let context: TestContext;
let server: GitHttpServer | undefined;

beforeEach(async () => {
  repository = await createGitRepository();
  context = await createSourceContext();
});

afterEach(async () => {
  await server?.[Symbol.asyncDispose]();
  server = undefined;
  await repository[Symbol.asyncDispose]();
  await context[Symbol.asyncDispose]();
});

function spec(fields: Partial<z.input<typeof gitSource.spec> & object> & Record<string, unknown> = {}): GitSpec {
  return gitSource.spec.parse({ repository: PUBLIC_URL, ...fields });
}

/** Maps the public URL to the local repository, as SOURCE_URL_REWRITES would. */
function local(): SourceContext {
  return context.with({ urlRewrites: [{ from: PUBLIC_URL, to: repository.url }] });
}

async function overHttp(options: Partial<GitHttpOptions> = {}): Promise<string> {
  server = await startGitHttpServer({ repository: repository.directory, ...options });
  return `${server.url}/${repository.directory.split('/').at(-1)}`;
}

async function fetchFile(
  given: GitSpec,
  used: SourceContext,
): Promise<{ content: string; revision: string; label: string }> {
  const revision = await gitSource.resolve(given, used);
  await gitSource.download(given, revision, context.target, used);
  return { content: await readFile(context.target, 'utf8'), ...revision };
}

async function failureOf(promise: Promise<unknown>): Promise<{ reason: string; destiny: string; message: string }> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: 'RegistryError' });
  return error as { reason: string; destiny: string; message: string };
}

describe('which commit is read', () => {
  it('reads the default branch if none is given, and reports its name', async () => {
    const commit = await repository.commit({ 'registry.json': '{"on":"main"}' });
    await repository.git('checkout', '--quiet', '-b', 'other');
    await repository.commit({ 'registry.json': '{"on":"other"}' });
    await repository.git('checkout', '--quiet', 'main');

    expect(await fetchFile(spec(), local())).toEqual({
      content: '{"on":"main"}',
      revision: commit,
      label: `registry.json at main@${commit}`,
    });
  });

  it('prefers a commit to a tag and a tag to a branch', async () => {
    const first = await repository.commit({ 'registry.json': '1' });
    await repository.commit({ 'registry.json': '2' });
    await repository.git('tag', '--annotate', '--message=release', 'v1');
    await repository.commit({ 'registry.json': '3' });

    const branch = { branch: 'main' };
    const tag = { ...branch, tag: 'v1' };
    expect((await fetchFile(spec(branch), local())).content).toBe('3');
    expect((await fetchFile(spec(tag), local())).content).toBe('2');
    expect((await fetchFile(spec({ ...tag, commit: first }), local())).content).toBe('1');
  });

  it('peels an annotated tag to its commit', async () => {
    const commit = await repository.commit({ 'registry.json': '{}' });
    await repository.git('tag', '--annotate', '--message=release', 'v1');

    expect(await gitSource.resolve(spec({ tag: 'v1' }), local())).toEqual({
      revision: commit,
      label: `registry.json at v1@${commit}`,
    });
  });

  it('needs no server to resolve a full commit id', async () => {
    const commit = 'ABCDEF0123456789ABCDEF0123456789ABCDEF01';
    const unreachable = spec({ repository: 'https://127.0.0.1:1/nothing.git', commit });
    expect((await gitSource.resolve(unreachable, context)).revision).toBe(commit.toLowerCase());
  });

  it('rejects a short commit id and requests the full one', () => {
    expect(() => spec({ commit: 'abc1234' })).toThrow('must be a full commit id');
    expect(() => spec({ commit: `${'a'.repeat(40)}\n` })).toThrow('must be a full commit id');
  });

  it.each(['--upload-pack=touch /tmp/owned', '-x', 'a b', 'a..b', 'a@{1}', '*', 'x^{}', 'a.lock', '/a'])(
    'rejects the branch and tag name %s',
    (name) => {
      expect(() => spec({ branch: name })).toThrow('is not a name');
      expect(() => spec({ tag: name })).toThrow('is not a name');
    },
  );

  it('returns the same revision until there is a new commit, and then its content', async () => {
    await repository.commit({ 'registry.json': '1' });
    const before = await fetchFile(spec(), local());
    expect((await gitSource.resolve(spec(), local())).revision).toBe(before.revision);

    await repository.commit({ 'registry.json': '2' });
    const after = await fetchFile(spec(), local());
    expect(after.content).toBe('2');
    expect(after.revision).not.toBe(before.revision);
  });

  it('follows a branch that was force-pushed', async () => {
    await repository.commit({ 'registry.json': '1' });
    await fetchFile(spec(), local());
    await repository.git('checkout', '--quiet', '--orphan', 'fresh');
    await repository.commit({ 'registry.json': '2' });
    await repository.git('branch', '--force', 'main', 'fresh');
    expect((await fetchFile(spec({ branch: 'main' }), local())).content).toBe('2');
  });

  it('reads repositories whose object ids are sha256', async () => {
    await using modern = await createGitRepository({ objectFormat: 'sha256' });
    const commit = await modern.commit({ 'registry.json': '{"sha":256}' });
    const used = context.with({ urlRewrites: [{ from: PUBLIC_URL, to: modern.url }] });
    expect(await fetchFile(spec(), used)).toMatchObject({ content: '{"sha":256}', revision: commit });
  });
});

describe('missing objects', () => {
  it('reports the missing branch and similar ones', async () => {
    await repository.commit({ 'registry.json': '{}' });
    await repository.git('branch', 'production');

    const failure = await failureOf(gitSource.resolve(spec({ branch: 'prodution' }), local()));
    expect(failure).toMatchObject({ reason: 'RefNotFound', destiny: 'wait' });
    expect(failure.message).toContain('"prodution"');
    expect(failure.message).toContain('production');
  });

  it('reports that a repository is empty', async () => {
    const failure = await failureOf(gitSource.resolve(spec(), local()));
    expect(failure).toMatchObject({ reason: 'RefNotFound', destiny: 'wait' });
    expect(failure.message).toContain('is empty');
  });

  it('reports ref, commit, path and similar paths if the file is missing', async () => {
    const commit = await repository.commit({
      'registries/official/registry.json': '{}',
      'registries/toolhive/data/registry.json': '{}',
      'unrelated.txt': '',
    });
    const wanted = spec({ branch: 'main', path: 'registries/toolhive/registry.json' });
    const failure = await failureOf(fetchFile(wanted, local()));
    expect(failure).toMatchObject({ reason: 'FileNotFound', destiny: 'wait' });
    for (const part of ['main', commit, wanted.path, 'registries/toolhive/data/registry.json', PUBLIC_URL]) {
      expect(failure.message).toContain(part);
    }
    expect(failure.message).not.toContain('unrelated');
    expect(failure.message).not.toContain(repository.directory);
  });

  it('reports that no branch or tag contains a commit', async () => {
    await repository.commit({ 'registry.json': '{}' });
    const failure = await failureOf(fetchFile(spec({ commit: '0123456789'.repeat(4) }), local()));
    expect(failure).toMatchObject({ reason: 'RefNotFound', destiny: 'wait' });
    expect(failure.message).toContain('0123456789'.repeat(4));
  });

  it('reports that a repository does not exist', async () => {
    const used = context.with({ urlRewrites: [{ from: PUBLIC_URL, to: `${repository.url}-missing` }] });
    expect(await failureOf(gitSource.resolve(spec(), used))).toMatchObject({
      reason: 'RepositoryNotFound',
      destiny: 'wait',
    });

    const url = await overHttp();
    const failure = await failureOf(gitSource.resolve(spec({ repository: `${url}-missing` }), context));
    expect(failure).toMatchObject({ reason: 'RepositoryNotFound', destiny: 'wait' });
  });
});

describe('rejected content', () => {
  it('does not follow a symbolic link at the path', async () => {
    await repository.link('registry.json', '/etc/passwd');
    const failure = await failureOf(fetchFile(spec(), local()));
    expect(failure).toMatchObject({ reason: 'FileNotFound', destiny: 'wait' });
    expect(failure.message).toContain('symbolic link');
  });

  it('does not follow a symbolic link on the way to the path', async () => {
    await repository.link('registries', '/etc');
    expect(await failureOf(fetchFile(spec({ path: 'registries/registry.json' }), local()))).toMatchObject({
      reason: 'FileNotFound',
    });
  });

  it('rejects a submodule and another file at the path', async () => {
    const commit = await repository.commit({ 'README.md': 'text' });
    expect((await failureOf(fetchFile(spec({ path: 'README.md' }), local()))).message).toContain('is not a .json file');

    await repository.git('update-index', '--add', '--cacheinfo', `160000,${commit},module.json`);
    await repository.git('commit', '--quiet', '--message=module');
    expect((await failureOf(fetchFile(spec({ path: 'module.json' }), local()))).message).toContain('submodule');
  });

  it('rejects a file above the limit, and keeps nothing of it', async () => {
    await repository.commit({ 'registry.json': `"${'x'.repeat(5_000)}"` });
    const used = context.with({ urlRewrites: [{ from: PUBLIC_URL, to: repository.url }], maxFileBytes: 4_000 });
    const failure = await failureOf(fetchFile(spec(), used));
    expect(failure).toMatchObject({ reason: 'InvalidData' });
    expect(failure.message).toContain('4000');
    await expect(readFile(context.target)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('stops a repository that sends more than allowed', async () => {
    const noise = Array.from({ length: 30_000 }, () => randomUUID()).join('');
    await repository.commit({ 'registry.json': noise });
    // Without filters, the blob comes with the commit. The end of the pack is withheld, so that only the size limit can
    // stop the transfer.
    const url = await overHttp({ withholdEndOfPack: true });
    const failure = await failureOf(
      fetchFile(spec({ repository: url }), context.with({ maxRepositoryBytes: 100_000 })),
    );
    expect(failure).toMatchObject({ reason: 'FetchFailed', destiny: 'wait' });
    expect(failure.message).toContain('100000');
  });

  it.each(['file:///srv/git/catalogue', 'git://git.example.com/catalogue'])(
    'rejects %s unless the site allows it',
    async (url) => {
      const failure = await failureOf(gitSource.resolve(spec({ repository: url }), context));
      expect(failure).toMatchObject({ reason: 'ValidationFailed', destiny: 'stop' });
      expect(failure.message).toContain('ALLOW_LOCAL_GIT');
    },
  );

  it('reads a local repository if the site allows it', async () => {
    await repository.commit({ 'registry.json': '{}' });
    const used = context.with({ allowLocalGit: true });
    expect((await fetchFile(spec({ repository: repository.url }), used)).content).toBe('{}');
  });

  it.each([
    ['ssh://git@git.example.com:team/x.git', 'ssh://git@git.example.com/team/x.git.'],
    ['ssh://forgejo@git.example.com:team/x', 'ssh://forgejo@git.example.com/team/x.'],
    ['ssh://git@git.example.com:2222:team/x', 'ssh://git@git.example.com:2222/team/x.'],
    ['https://git.example.com:team/x.git', 'https://git.example.com/team/x.git.'],
    ['gitea@git.example.com:2222:team/x.git', 'ssh://gitea@git.example.com:2222/team/x.git.'],
  ])('suggests the correct form of %s', async (repository, right) => {
    const failure = await failureOf(gitSource.resolve(spec({ repository }), context));
    expect(failure).toMatchObject({ reason: 'ValidationFailed', destiny: 'stop' });
    expect(failure.message).toContain(`: use ${right}`);
  });

  it('shows no password in the suggestion', async () => {
    const repository = 'https://me:hunter2@git.example.com:team/x.git';
    const { message } = await failureOf(gitSource.resolve(spec({ repository }), context));
    expect(message).toContain(': use https://git.example.com/team/x.git.');
    expect(message).not.toContain('hunter2');
  });

  it('rejects the user name -x, which ssh would interpret as an option', async () => {
    const repository = '-x@git.example.com:team/x.git';
    expect(gitSource.spec.safeParse({ repository }).success).toBe(false);
    const rewritten = context.with({ urlRewrites: [{ from: PUBLIC_URL, to: repository }] });
    expect(await failureOf(gitSource.resolve(spec(), rewritten))).toMatchObject({ reason: 'ValidationFailed' });
  });

  it.each(['ext::sh -c touch% /tmp/owned', '--upload-pack=x', 'ftp://example.com/x', 'git@-oProxyCommand=x:y'])(
    'never passes %s to git',
    async (url) => {
      const rewritten = context.with({ allowLocalGit: true, urlRewrites: [{ from: PUBLIC_URL, to: url }] });
      expect(await failureOf(gitSource.resolve(spec(), rewritten))).toMatchObject({ reason: 'ValidationFailed' });
    },
  );

  it('inherits only paths and proxies from the environment', async () => {
    await repository.commit({ 'registry.json': '{}' });
    const trap = join(context.directory, 'sprung');
    const environment = {
      ...process.env,
      GIT_SSH_COMMAND: `touch ${trap}`,
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'uploadpack.packObjectsHook',
      GIT_CONFIG_VALUE_0: `touch ${trap}; false`,
      GIT_EXEC_PATH: '/nonexistent',
      GIT_DIR: '/nonexistent',
    };
    const used = { ...local(), settings: { ...local().settings, environment } };
    expect((await fetchFile(spec(), used)).content).toBe('{}');
    await expect(readFile(trap)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('over HTTP', () => {
  it('transfers only one blob if the server supports filters', async () => {
    await repository.git('config', 'uploadpack.allowFilter', 'true');
    await repository.commit({ 'registry.json': '{"small":true}', 'large.bin': randomUUID().repeat(20_000) });
    const wanted = spec({ repository: await overHttp() });
    expect((await fetchFile(wanted, context)).content).toBe('{"small":true}');
    expect(await keptObjects()).toContain('blob 14');
    expect((await keptObjects()).filter((line) => line.startsWith('blob'))).toHaveLength(1);
  });

  it('reads from a server without filters', async () => {
    await repository.commit({ 'registry.json': '{}', 'other.bin': 'x' });
    expect((await fetchFile(spec({ repository: await overHttp() }), context)).content).toBe('{}');
  });

  it('reads an old commit from a server that returns only refs', async () => {
    const old = await repository.commit({ 'registry.json': 'old' });
    await repository.commit({ 'registry.json': 'new' });
    const wanted = spec({ repository: await overHttp({ onlyProtocol0: true }), commit: old });
    expect((await fetchFile(wanted, context)).content).toBe('old');
    // The second fetch is served from the cache.
    expect((await fetchFile(wanted, context)).content).toBe('old');
  });

  it('never imports a commit that the branch does not lead to, even if the server returns it', async () => {
    const ancestor = await repository.commit({ 'registry.json': 'before' });
    await repository.commit({ 'registry.json': 'ours' });
    const foreign = await repository.commit({ 'registry.json': 'foreign' });
    await repository.git('update-ref', 'refs/pull/1/head', foreign);
    await repository.git('reset', '--quiet', '--hard', 'HEAD~1');
    const wanted = spec({ repository: await overHttp(), branch: 'main' });
    const path = join(context.cacheDirectory, 'fetched.json');
    const download = (revision: string) => gitSource.download(wanted, { revision, label: revision }, path, context);
    await expect(download(foreign)).rejects.toMatchObject({ reason: 'RefNotFound', destiny: 'retry' });
    await download(ancestor);
    expect(await readFile(path, 'utf8')).toBe('before');
    const pinned = { ...wanted, commit: ancestor };
    const pull = gitSource.download(pinned, { revision: foreign, label: foreign }, path, context);
    await expect(pull).rejects.toMatchObject({ reason: 'RefNotFound' });
  });

  it('reads an annotated tag from such a server', async () => {
    await repository.commit({ 'registry.json': 'tagged' });
    await repository.git('tag', '--annotate', '--message=release', 'v1');
    await repository.commit({ 'registry.json': 'new' });
    const wanted = spec({ repository: await overHttp({ onlyProtocol0: true }), tag: 'v1' });
    expect((await fetchFile(wanted, context)).content).toBe('tagged');
  });

  it('reads from a server that filters blobs but returns none of them', async () => {
    await repository.git('config', 'uploadpack.allowFilter', 'true');
    await repository.commit({ 'registry.json': '{}' });
    const wanted = spec({ repository: await overHttp({ onlyProtocol0: true }) });
    expect((await fetchFile(wanted, context)).content).toBe('{}');
  });

  it('sends user name and password only to the server', async () => {
    await repository.commit({ 'registry.json': '{}' });
    context.secrets.set('git/password', "s3cret '$(id)`\n");
    const basicAuth = { username: 'reader', password: "s3cret '$(id)`" };
    const auth = { username: 'reader', passwordSecretRef: { name: 'git', key: 'password' } };
    const wanted = spec({ repository: await overHttp({ basicAuth }), auth });
    expect((await fetchFile(wanted, context)).content).toBe('{}');
    expect(await filesBelow(context.cacheDirectory)).not.toContain('s3cret');
  });

  it('removes credentials from the URL before it is shown', async () => {
    await repository.commit({ 'registry.json': '{}' });
    const basicAuth = { username: 'reader', password: 's3cret@/' };
    const url = (await overHttp({ basicAuth })).replace('://', '://reader:s3cret%40%2F@');
    const wanted = spec({ repository: url });
    expect((await fetchFile(wanted, context)).content).toBe('{}');
    expect(await filesBelow(context.cacheDirectory)).not.toContain('s3cret');
    expect(gitSource.address(wanted)).not.toContain('s3cret');
    expect(gitSource.address(wanted)).not.toContain('reader');

    const failure = await failureOf(fetchFile(spec({ repository: `${url}-missing` }), context));
    expect(failure.message).not.toContain('s3cret');
  });

  it.each([undefined, 'wrong'])('waits for other credentials if the password is %s', async (password) => {
    await repository.commit({ 'registry.json': '{}' });
    const url = await overHttp({ basicAuth: { username: 'reader', password: 'right' } });
    if (password) context.secrets.set('git/password', password);
    const auth = password && { username: 'reader', passwordSecretRef: { name: 'git', key: 'password' } };
    const failure = await failureOf(gitSource.resolve(spec({ repository: url, ...(auth && { auth }) }), context));
    expect(failure).toMatchObject({ reason: 'AuthFailed', destiny: 'wait' });
    expect(failure.message).toContain(url);
    expect(failure.message).not.toContain('wrong');
  });

  it('reports a missing Secret', async () => {
    const auth = { username: 'reader', passwordSecretRef: { name: 'absent', key: 'password' } };
    const failure = await failureOf(gitSource.resolve(spec({ auth }), context));
    expect(failure).toMatchObject({ reason: 'SecretNotFound' });
  });

  it('follows a redirect, but sends no password to another host', async () => {
    await repository.commit({ 'registry.json': '{}' });
    const url = await overHttp();
    const path = new URL(url).pathname;
    context.secrets.set('git/password', 's3cret');
    const auth = { username: 'reader', passwordSecretRef: { name: 'git', key: 'password' } };
    await using first = await startGitHttpServer({
      repository: repository.directory,
      intercept: (request, response) => {
        response.writeHead(301, { location: `${server?.url}${request.url?.replace('/renamed', path)}` }).end();
        return true;
      },
    });
    const wanted = spec({ repository: `${first.url}/renamed`, auth });
    expect((await fetchFile(wanted, context)).content).toBe('{}');
    expect(server?.requests.length).toBeGreaterThan(0);
    expect(server?.requests.filter(({ authorization }) => authorization)).toEqual([]);
  });

  it('sends no password even if the other host requests one', async () => {
    await repository.commit({ 'registry.json': '{}' });
    const url = await overHttp({ basicAuth: { username: 'reader', password: 's3cret' } });
    context.secrets.set('git/password', 's3cret');
    const auth = { username: 'reader', passwordSecretRef: { name: 'git', key: 'password' } };
    await using first = await startGitHttpServer({
      repository: repository.directory,
      intercept: (request, response) => {
        response.writeHead(301, { location: `${url}/${request.url?.split('/').slice(2).join('/')}` }).end();
        return true;
      },
    });
    const failure = await failureOf(fetchFile(spec({ repository: `${first.url}/renamed`, auth }), context));
    expect(failure).toMatchObject({ reason: 'AuthFailed' });
    expect(server?.requests.filter(({ authorization }) => authorization)).toEqual([]);
  });

  it.each([
    [500, 'Unreachable', 'retry'],
    [503, 'Unreachable', 'retry'],
    [429, 'Unreachable', 'retry'],
    [403, 'AuthFailed', 'wait'],
    [404, 'RepositoryNotFound', 'wait'],
  ])('reports status %i as %s', async (status, reason, destiny) => {
    const url = await overHttp({ intercept: (_request, response) => !!response.writeHead(status).end() });
    expect(await failureOf(gitSource.resolve(spec({ repository: url }), context))).toMatchObject({ reason, destiny });
  });

  it('distinguishes a web page from a repository', async () => {
    const page = '<!doctype html>\n<html><head><title>Sign in to continue to the site</title></head></html>\n';
    const url = await overHttp({
      intercept: (_request, response) => !!response.writeHead(200, { 'content-type': 'text/html' }).end(page),
    });
    const failure = await failureOf(gitSource.resolve(spec({ repository: url }), context));
    expect(failure).toMatchObject({ reason: 'RepositoryNotFound', destiny: 'wait' });
  });

  it('aborts at a host that hangs, and reports the time limit', async () => {
    const url = await overHttp({ intercept: () => true });
    const failure = await failureOf(
      gitSource.resolve(spec({ repository: url }), context.with({ fetchTimeoutMs: 500 })),
    );
    expect(failure).toMatchObject({ reason: 'Unreachable', destiny: 'retry' });
    expect(failure.message).toContain('0.5 s');
  });

  it('stops immediately when it is cancelled, and leaves no process behind', async () => {
    const controller = new AbortController();
    const url = await overHttp({
      intercept: () => {
        controller.abort(new Error('cancelled by the test'));
        return true;
      },
    });
    await expect(gitSource.resolve(spec({ repository: url }), context.with({}, controller.signal))).rejects.toThrow(
      'cancelled by the test',
    );
    await expect.poll(async () => (await promisify(execFile)('ps', ['-eo', 'args'])).stdout).not.toContain(url);
  });

  it('reports a refused connection and an unknown host as unreachable', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, 'close');
    for (const url of [`http://127.0.0.1:${port}/x.git`, 'http://no-such-host.invalid/x.git']) {
      const failure = await failureOf(gitSource.resolve(spec({ repository: url }), context));
      expect(failure).toMatchObject({ reason: 'Unreachable', destiny: 'retry' });
      expect(failure.message).toContain(url);
    }
  });
});

describe('over TLS', () => {
  it('trusts the authority in caCertRef, and no unknown one without it', async () => {
    await repository.commit({ 'registry.json': '{"by":"tls"}' });
    const tls = await selfSigned();
    const url = await overHttp({ tls });
    const failure = await failureOf(gitSource.resolve(spec({ repository: url }), context));
    expect(failure).toMatchObject({ reason: 'Unreachable', destiny: 'wait' });
    expect(failure.message).toContain('git.caCertRef');

    context.configMaps.set('authorities/ca.crt', tls.cert);
    const wanted = spec({ repository: url, caCertRef: { name: 'authorities', key: 'ca.crt' } });
    expect((await fetchFile(wanted, context)).content).toBe('{"by":"tls"}');
    expect(referredKeys(gitSource.objects ?? [], wanted)).toMatchObject([{ kind: 'ConfigMap', name: 'authorities' }]);
  });
});

describe('the authorities of the site', () => {
  it('are trusted in addition to those of the system, unless caCertRef replaces them', async () => {
    await repository.commit({ 'registry.json': '{"by":"site"}' });
    const [ours, others] = [await selfSigned(), await selfSigned()];
    const url = await overHttp({ tls: ours });
    const file = join(context.directory, 'site.crt');
    await writeFile(file, ours.cert);
    const used = context.with({ environment: { ...process.env, NODE_EXTRA_CA_CERTS: file } });
    expect((await fetchFile(spec({ repository: url }), used)).content).toBe('{"by":"site"}');

    context.configMaps.set('authorities/ca.crt', others.cert);
    const narrowed = spec({ repository: url, caCertRef: { name: 'authorities', key: 'ca.crt' } });
    expect(await failureOf(gitSource.resolve(narrowed, used))).toMatchObject({ reason: 'Unreachable' });
  });
});

describe('the data kept between syncs', () => {
  it('is replaced if it is broken', async () => {
    await repository.commit({ 'registry.json': '1' });
    await fetchFile(spec(), local());
    const [kept] = await readdir(context.cacheDirectory);
    await writeFile(join(context.cacheDirectory, kept as string, 'shallow.lock'), '');
    await writeFile(join(context.cacheDirectory, kept as string, 'refs', 'source', 'fetched.lock'), '');

    await repository.commit({ 'registry.json': '2' });
    expect((await fetchFile(spec(), local())).content).toBe('2');
  });

  it('does not include a large file, so that git never has two versions of it in memory', async () => {
    const large = (edition: number) => `"${'x'.repeat(17 * 1024 * 1024)}${edition}"`;
    const used = { ...local(), settings: { ...local().settings, maxFileBytes: 20 * 1024 * 1024 } };
    for (const edition of [1, 2]) {
      await repository.commit({ 'registry.json': large(edition) });
      expect((await fetchFile(spec(), used)).content === large(edition)).toBe(true);
      expect(await readdir(context.cacheDirectory)).toEqual([]);
    }
  });

  it('does not include the repository of an earlier URL, keys or passwords', async () => {
    await repository.commit({ 'registry.json': '1' });
    await fetchFile(spec(), local());
    const url = await overHttp();
    await fetchFile(spec({ repository: url }), context);
    expect(await readdir(context.cacheDirectory)).toHaveLength(1);
  });
});

describe('over ssh', () => {
  const ssh = { repository: 'git@git.example.com:team/catalogue.git' };

  it('requires a key and known hosts', async () => {
    const failure = await failureOf(gitSource.resolve(spec(ssh), context));
    expect(failure).toMatchObject({ reason: 'ValidationFailed' });
    expect(failure.message).toContain('git.auth.sshKeySecretRef');
    expect(gitSource.spec.safeParse({ ...ssh, auth: { sshKeySecretRef: { name: 'a', key: 'b' } } }).success).toBe(
      false,
    );
  });

  it('runs ssh with the key, strict host keys, and no configuration of this machine', async () => {
    await repository.commit({ 'registry.json': '{"by":"ssh"}' });
    // Replaces ssh and the host behind it: records the arguments and serves the repository.
    const bin = join(context.directory, 'bin');
    await mkdir(bin);
    const record = join(context.directory, 'record');
    const script = [
      '#!/bin/sh',
      `printf '%s\\n' "$@" > ${record}`,
      `while [ "$1" != "-i" ]; do shift; done; cat "$2" >> ${record}`,
      `exec git upload-pack ${repository.directory}`,
    ];
    await writeFile(join(bin, 'ssh'), script.join('\n'));
    await chmod(join(bin, 'ssh'), 0o755);
    // The key as saved on Windows, and without the final line break, which ssh requires.
    context.secrets.set('ssh/key', '\r\nPRIVATE KEY\r\nof lines').set('ssh/hosts', 'localhost ssh-ed25519 AAAA');
    const auth = { sshKeySecretRef: { name: 'ssh', key: 'key' }, knownHostsSecretRef: { name: 'ssh', key: 'hosts' } };
    const used = context.with({ environment: { PATH: `${bin}:${process.env['PATH']}` } });
    await using listening = await startTcpServer(() => undefined);
    const { port } = new URL(listening.url);
    const address = `ssh://git@localhost:${port}/team/catalogue.git`;

    expect((await fetchFile(spec({ repository: address, auth }), used)).content).toBe('{"by":"ssh"}');
    const called = await readFile(record, 'utf8');
    expect(called).toMatch(/HostName=(127\.0\.0\.1|::1)\n/);
    expect(called).toContain(`HostKeyAlias=[localhost]:${port}\n`);
    expect(called).toContain('StrictHostKeyChecking=yes');
    expect(called).toContain('-F\n/dev/null');
    expect(called.endsWith('\nPRIVATE KEY\nof lines\n')).toBe(true);
    expect(await filesBelow(context.cacheDirectory)).not.toContain('PRIVATE KEY');
  });

  it('reports a host that does not listen as unreachable', async () => {
    context.secrets.set('ssh/key', 'PRIVATE KEY').set('ssh/hosts', 'x');
    const auth = { sshKeySecretRef: { name: 'ssh', key: 'key' }, knownHostsSecretRef: { name: 'ssh', key: 'hosts' } };
    const failure = await failureOf(
      gitSource.resolve(spec({ repository: 'ssh://git@127.0.0.1:1/x.git', auth }), context),
    );
    expect(failure).toMatchObject({ reason: 'Unreachable', destiny: 'retry' });
  });
});

async function selfSigned(): Promise<{ key: string; cert: string }> {
  const [key, cert] = [join(context.directory, 'tls.key'), join(context.directory, 'tls.crt')];
  const names = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', ...names, '-keyout', key, '-out', cert];
  await promisify(execFile)('openssl', args);
  return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') };
}

/** Returns the type and size of each object in the cached repository. */
async function keptObjects(): Promise<string[]> {
  const [kept] = await readdir(context.cacheDirectory);
  const format = '--batch-check=%(objecttype) %(objectsize)';
  const { stdout } = await promisify(execFile)('git', ['cat-file', '--batch-all-objects', format], {
    env: { PATH: process.env['PATH'], GIT_DIR: join(context.cacheDirectory, kept as string) },
  });
  return stdout.trim().split('\n');
}

async function filesBelow(directory: string): Promise<string> {
  const files = await readdir(directory, { recursive: true, withFileTypes: true });
  const contents = files
    .filter((file) => file.isFile())
    .map((file) => readFile(join(file.parentPath, file.name), 'latin1'));
  return (await Promise.all(contents)).join('\n');
}
