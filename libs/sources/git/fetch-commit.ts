import { createHash } from 'node:crypto';
import { RegistryError } from '#domain/registry-error.js';
import type { Git, ObjectFormat } from './git.js';
import type { WantedRef } from './resolve-ref.js';

const QUIET = ['--quiet', '--no-tags', '--no-recurse-submodules', '--no-auto-maintenance', '--no-write-fetch-head'];

/** Below this, the repository keeps the commit that was last fetched for a wanted ref. */
const FETCHED = 'refs/source/fetched';

/**
 * Makes the commit and its trees local, as little else as the server allows: at best no blob and no history. Throws a
 * RegistryError; `RefNotFound` when the wanted branch, tag or commit does not lead to it: servers hand out commits of others too,
 * such as those of pull requests.
 */
export async function fetchCommit(git: Git, commit: string, wanted: WantedRef): Promise<void> {
  if (wanted.kind === 'commit' && wanted.name !== commit) throw notWanted(git, commit, wanted);
  if ((await readCommit(git, fetchedFor(wanted))) === commit) return;
  try {
    await fetchShallow(git, commit, wanted);
  } catch (error) {
    if (!(error instanceof RegistryError) || error.reason !== 'FetchFailed') throw error;
    // What an earlier, killed fetch left behind (a lock, half a pack) must not fail this source forever.
    await git.startOver(objectFormatOf(commit));
    await fetchShallow(git, commit, wanted);
  }
}

/** For servers that filter blobs but do not hand out a single one. */
export async function fetchWithBlobs(git: Git, commit: string, wanted: WantedRef): Promise<void> {
  await git.startOver(objectFormatOf(commit));
  await fetchShallow(git, commit, wanted, []);
}

/** How many objects one request names. */
const OBJECTS_AT_ONCE = 1_000;

/** Makes blobs of a fetched commit local in few requests, with all of its blobs where the server does not hand out single ones. */
export async function fetchBlobs(git: Git, commit: string, wanted: WantedRef, blobs: readonly string[]): Promise<void> {
  try {
    for (let at = 0; at < blobs.length; at += OBJECTS_AT_ONCE) {
      const objects = blobs.slice(at, at + OBJECTS_AT_ONCE);
      await git.remotely(['fetch', ...QUIET, '--filter=blob:none', '--end-of-options', git.remote.url, ...objects]);
    }
  } catch (error) {
    if (!(error instanceof RegistryError) || error.reason !== 'RefNotFound') throw error;
    await fetchWithBlobs(git, commit, wanted);
  }
}

async function fetchShallow(
  git: Git,
  commit: string,
  wanted: WantedRef,
  filter = ['--filter=blob:none'],
): Promise<void> {
  if (!(await isRepository(git))) await git.startOver(objectFormatOf(commit));
  const target = fetchedFor(wanted);
  const shallow = ['--depth=1', ...filter];
  if (wanted.ref === undefined) {
    if (await fetched(git, commit, target, shallow, `+${commit}:${target}`)) return;
    // The server hands out only what its refs name: the commit is somewhere in the history, which time and size bound.
    await git.startOver(objectFormatOf(commit));
    await fetched(git, commit, target, filter, '+refs/heads/*:refs/source/heads/*', '+refs/tags/*:refs/source/tags/*');
    if ((await readCommit(git, commit)) !== commit) throw notWanted(git, commit, wanted);
  } else {
    if (await fetched(git, commit, target, shallow, `+${wanted.ref}:${target}`)) return;
    // The branch has moved since it was resolved: its history shows whether the commit is one of its own.
    await git.startOver(objectFormatOf(commit));
    await fetched(git, commit, target, filter, `+${wanted.ref}:${target}`);
    if (!(await isAncestor(git, commit, target))) throw notWanted(git, commit, wanted);
  }
  await git.local(['update-ref', target, commit]);
}

/** Names the local ref after the wanted one, so that what was fetched for another branch is not taken for this one's. */
function fetchedFor({ kind, name }: WantedRef): string {
  return `${FETCHED}/${createHash('sha256').update(`${kind} ${name}`).digest('hex').slice(0, 16)}`;
}

async function isAncestor(git: Git, commit: string, ref: string): Promise<boolean> {
  const { exitCode } = await git.local(['merge-base', '--is-ancestor', commit, ref]);
  return exitCode === 0;
}

function notWanted(git: Git, commit: string, wanted: WantedRef): RegistryError {
  if (wanted.kind === 'commit') {
    const message = `${git.remote.name} has no commit ${commit} on any branch or tag: check git.commit.`;
    return new RegistryError('RefNotFound', message);
  }
  const message = `${git.remote.name}: ${wanted.kind} ${wanted.name} does not lead to ${commit}: it has moved on.`;
  return new RegistryError('RefNotFound', message, 'retry');
}

/** Fetches, and reports whether `target` is the commit now; false as well when the server refuses to hand it out. */
async function fetched(
  git: Git,
  commit: string,
  target: string,
  options: readonly string[],
  ...refspecs: string[]
): Promise<boolean> {
  try {
    await git.remotely(['fetch', ...QUIET, ...options, '--end-of-options', git.remote.url, ...refspecs]);
  } catch (error) {
    if (error instanceof RegistryError && error.reason === 'RefNotFound') return false;
    throw error;
  }
  return (await readCommit(git, target)) === commit;
}

async function readCommit(git: Git, name: string): Promise<string | undefined> {
  const { exitCode, stdout } = await git.local([
    'rev-parse',
    '--verify',
    '--quiet',
    '--end-of-options',
    `${name}^{commit}`,
  ]);
  return exitCode === 0 ? stdout.trim() : undefined;
}

async function isRepository(git: Git): Promise<boolean> {
  return (await git.local(['rev-parse', '--git-dir'])).exitCode === 0;
}

function objectFormatOf(commit: string): ObjectFormat {
  return commit.length === 64 ? 'sha256' : 'sha1';
}
