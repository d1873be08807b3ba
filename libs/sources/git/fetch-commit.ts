import { RegistryError } from '#domain/registry-error.js';
import type { Git, ObjectFormat } from './git.js';
import type { WantedRef } from './resolve-ref.js';

/** Where the repository keeps the one commit that it was last fetched for. */
const FETCHED = 'refs/source/fetched';

/**
 * Makes the commit and its trees local, as little else as the server allows: at best no blob and no history. Throws a
 * RegistryError; `RefNotFound` when no branch or tag of the remote leads to the commit.
 */
export async function fetchCommit(git: Git, commit: string, wanted: WantedRef): Promise<void> {
  if ((await readCommit(git, FETCHED)) === commit) return;
  try {
    await fetchShallow(git, commit, wanted);
  } catch (error) {
    if (!(error instanceof RegistryError) || error.reason !== 'FetchFailed') throw error;
    // What an earlier, killed fetch left behind (a lock, half a pack) must not fail this source for ever.
    await git.startOver(objectFormatOf(commit));
    await fetchShallow(git, commit, wanted);
  }
}

/** For servers that filter blobs but do not hand out a single one. */
export async function fetchWithBlobs(git: Git, commit: string, wanted: WantedRef): Promise<void> {
  await git.startOver(objectFormatOf(commit));
  await fetchShallow(git, commit, wanted, []);
}

async function fetchShallow(
  git: Git,
  commit: string,
  wanted: WantedRef,
  filter = ['--filter=blob:none'],
): Promise<void> {
  if (!(await isRepository(git))) await git.startOver(objectFormatOf(commit));
  const shallow = ['--depth=1', ...filter];
  if (await fetched(git, commit, [...shallow], `+${commit}:${FETCHED}`)) return;
  // The server hands out only what its refs name: perhaps ours is still there…
  if (wanted.ref && (await fetched(git, commit, [...shallow], `+${wanted.ref}:${FETCHED}`))) return;
  // …else the commit is somewhere in the history, which time and size bound.
  await git.startOver(objectFormatOf(commit));
  if (await fetched(git, commit, filter, '+refs/heads/*:refs/source/heads/*', '+refs/tags/*:refs/source/tags/*')) {
    await git.local(['update-ref', FETCHED, commit]);
    return;
  }
  if (wanted.kind === 'commit') {
    const message = `${git.remote.name} has no commit ${commit} on any branch or tag: check git.commit.`;
    throw new RegistryError('RefNotFound', message);
  }
  const message = `${git.remote.name}: ${wanted.kind} ${wanted.name} moved on from ${commit} while it was fetched.`;
  throw new RegistryError('RefNotFound', message, 'retry');
}

/** Tells whether the commit is here now; false as well when the server refuses to hand it out. */
async function fetched(git: Git, commit: string, options: readonly string[], ...refspecs: string[]): Promise<boolean> {
  const quiet = ['--quiet', '--no-tags', '--no-recurse-submodules', '--no-auto-maintenance', '--no-write-fetch-head'];
  try {
    await git.remotely(['fetch', ...quiet, ...options, '--end-of-options', git.remote.url, ...refspecs]);
  } catch (error) {
    if (error instanceof RegistryError && error.reason === 'RefNotFound') return false;
    throw error;
  }
  return (await readCommit(git, FETCHED)) === commit || (await readCommit(git, commit)) === commit;
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
