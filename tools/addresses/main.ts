import { execFile } from 'node:child_process';
import { glob, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';

/** Files from which readers copy URLs. */
const FILES = ['README.md', 'SECURITY.md', 'docs/**/*.md', 'deploy/**/*.{yaml,md,txt}'];

/** Hosts that are not public, in examples and local networks: RFC 2606, RFC 6761, single labels, IP addresses. */
const NOT_PUBLIC =
  /^([^.]+|\d+(\.\d+){3}|\[.*\]|(.*\.)?(example|invalid|test|localhost|local|internal|svc|example\.(com|org|net)|svc\.cluster\.local))$/;

const ANSWER_MS = 20_000;

interface GitSource {
  readonly repository: string;
  readonly branch?: string;
  readonly tag?: string;
  readonly path?: string;
}

/** Checks over the network that every public URL in samples and documents exists. Prints those that do not. */
async function main(): Promise<void> {
  const addresses = new Map<string, string>();
  const repositories = new Map<string, GitSource>();
  for await (const file of glob(FILES)) {
    const text = await readFile(file, 'utf8');
    for (const [url] of text.matchAll(/https?:\/\/[^\s<>"'`)\]|\\]+/g)) {
      const address = url.replace(/[.,;:]+$/, '');
      if (isPublic(address)) addresses.set(address, file);
    }
    if (file.startsWith('deploy/samples/'))
      for (const git of gitSources(text)) repositories.set(JSON.stringify(git), git);
  }
  const faults = [
    ...(await Promise.all([...addresses].map(([address, file]) => checkAddress(address, file)))),
    ...(await Promise.all([...repositories.values()].map(checkRepository))),
  ].filter((fault) => fault !== undefined);
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  process.stdout.write(`${addresses.size} addresses and ${repositories.size} git sources, ${faults.length} faults\n`);
  process.exitCode = faults.length > 0 ? 1 : 0;
}

/** Returns whether a URL is public. Templates are skipped, and so are repositories, which are checked with git. */
function isPublic(address: string): boolean {
  if (!URL.canParse(address) || /[{}$*…=]|[A-Z_]{5,}|\.git$/.test(address)) return false;
  return !NOT_PUBLIC.test(new URL(address).hostname);
}

function gitSources(text: string): GitSource[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as { spec?: { registries?: { git?: GitSource }[] } } | null)
    .flatMap((resource) => resource?.spec?.registries ?? [])
    .flatMap(({ git }) => git ?? []);
}

async function checkAddress(address: string, file: string): Promise<string | undefined> {
  try {
    const { ok, status } = await fetch(address, { signal: AbortSignal.timeout(ANSWER_MS) });
    // A site that requires a login or restricts robots does exist.
    return ok || [401, 403, 405, 429].includes(status) ? undefined : `${file}: ${address} answers ${status}`;
  } catch (error) {
    const { message, cause } = error as Error;
    return `${file}: ${address}: ${cause instanceof Error ? cause.message : message}`;
  }
}

/** Fetches a single commit without its files, and checks that it contains the path. */
async function checkRepository({ repository, branch, tag, path }: GitSource): Promise<string | undefined> {
  const run = promisify(execFile);
  const folder = await mkdtemp(join(tmpdir(), 'addresses-'));
  const ref = tag ?? branch ?? 'HEAD';
  try {
    await run('git', ['init', '--quiet', '--bare', folder]);
    await run('git', ['-C', folder, 'fetch', '--quiet', '--depth=1', '--filter=blob:none', '--', repository, ref]);
    const tree = await run('git', [
      '-C',
      folder,
      'ls-tree',
      '--name-only',
      'FETCH_HEAD',
      '--',
      path ?? 'registry.json',
    ]);
    return tree.stdout.trim() === '' ? `${repository} has no ${path} at ${ref}` : undefined;
  } catch (error) {
    return `${repository} at ${ref}: ${(error as Error).message.trim().split('\n').at(-1)}`;
  } finally {
    await rm(folder, { recursive: true });
  }
}

await main();
