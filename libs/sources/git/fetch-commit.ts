import { createHash } from 'node:crypto';
import { RegistryError } from '#domain/registry-error.js';
import type { Git, ObjectFormat } from './git.js';
import type { WantedRef } from './resolve-ref.js';

const QUIET = ['--quiet', '--no-tags', '--no-recurse-submodules', '--no-auto-maintenance', '--no-write-fetch-head'];

/** Prefix of the local refs that keep the commit last fetched for each wanted ref. */
const FETCHED = 'refs/source/fetched';

/**
 * Fetches the commit and its trees, and as little else as the server allows: ideally no blobs and no history. Throws a
 * RegistryError. Throws `RefNotFound` if the wanted branch, tag or commit does not lead to the commit, because servers
 * also return commits of other users, such as those of pull requests.
 */
export async function fetchCommit(git: Git, commit: string, wanted: WantedRef): Promise<void> {
  if (wanted.kind === 'commit' && wanted.name !== commit) throw notWanted(git, commit, wanted);
  if ((await readCommit(git, fetchedFor(wanted))) === commit) return;
  try {
    await fetchShallow(git, commit, wanted);
  } catch (error) {
    if (!(error instanceof RegistryError) || error.reason !== 'FetchFailed') throw error;
    // Remnants of an earlier fetch that was killed (a lock, half a pack) must not make this source fail forever.
    await git.startOver(objectFormatOf(commit));
    await fetchShallow(git, commit, wanted);
  }
}

/** Fetches the commit with its blobs, for servers that support filtering of blobs but do not send single ones. */
export async function fetchWithBlobs(git: Git, commit: string, wanted: WantedRef): Promise<void> {
  await git.startOver(objectFormatOf(commit));
  await fetchShallow(git, commit, wanted, []);
}

/** Maximum number of objects in a request. */
const OBJECTS_AT_ONCE = 1_000;

/**
 * Fetches blobs of a commit in few requests. If the server does not return single blobs, fetches the commit with all
 * its blobs.
 */
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
    // The server returns only what its refs lead to. The commit is somewhere in the history, and the fetch is limited
    // by time and size.
    await git.startOver(objectFormatOf(commit));
    await fetched(git, commit, target, filter, '+refs/heads/*:refs/source/heads/*', '+refs/tags/*:refs/source/tags/*');
    if ((await readCommit(git, commit)) !== commit) throw notWanted(git, commit, wanted);
  } else {
    if (await fetched(git, commit, target, shallow, `+${wanted.ref}:${target}`)) return;
    // The branch has moved since it was resolved. Its history shows whether the commit belongs to it.
    await git.startOver(objectFormatOf(commit));
    await fetched(git, commit, target, filter, `+${wanted.ref}:${target}`);
    if (!(await isAncestor(git, commit, target))) throw notWanted(git, commit, wanted);
  }
  await git.local(['update-ref', target, commit]);
}

/**
 * Returns the local ref for a wanted ref. The name depends on the wanted ref, so that a commit fetched for another
 * branch is not used for this one.
 */
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
  const message = `${git.remote.name}: ${wanted.kind} ${wanted.name} no longer leads to ${commit}.`;
  return new RegistryError('RefNotFound', message, 'retry');
}

/**
 * Fetches, and returns whether `target` is the commit now. Also returns false if the server refuses to return the
 * commit.
 */
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
