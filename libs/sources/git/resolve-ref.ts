import { RegistryError } from '#domain/registry-error.js';
import { NothingFound } from '../conceal-private.js';
import { didYouMean, nearNames } from '../near-names.js';
import type { Git } from './git.js';
import { isCommitId } from './ref-name.js';

/** The fields of a spec that select the commit to read. */
interface RefFields {
  readonly commit?: string | undefined;
  readonly tag?: string | undefined;
  readonly branch?: string | undefined;
}

/**
 * The ref that a spec selects. A commit takes precedence over a tag, and a tag over a branch. Without any of them, it
 * is the remote's default branch.
 */
export type WantedRef =
  | { readonly kind: 'commit'; readonly name: string; readonly ref: undefined }
  | { readonly kind: 'tag' | 'branch'; readonly name: string; readonly ref: string }
  | { readonly kind: 'default branch'; readonly name: 'HEAD'; readonly ref: 'HEAD' };

export function wantedRef({ commit, tag, branch }: RefFields): WantedRef {
  if (commit !== undefined) return { kind: 'commit', name: commit.toLowerCase(), ref: undefined };
  if (tag !== undefined) return { kind: 'tag', name: tag, ref: fullName('refs/tags/', tag) };
  if (branch !== undefined) return { kind: 'branch', name: branch, ref: fullName('refs/heads/', branch) };
  return { kind: 'default branch', name: 'HEAD', ref: 'HEAD' };
}

function fullName(prefix: string, name: string): string {
  return name.startsWith(prefix) ? name : prefix + name;
}

export interface ResolvedRef {
  readonly commit: string;
  /** Name of the default branch if that is wanted, otherwise the wanted name. */
  readonly name: string;
}

/**
 * Resolves a ref on the remote, which transfers only a line or two. Throws a RegistryError, for example `RefNotFound`
 * with similar names.
 */
export async function resolveRef(git: Git, wanted: WantedRef): Promise<ResolvedRef> {
  if (wanted.kind === 'commit') return { commit: wanted.name, name: wanted.name };
  const { refs, head } = await listRefs(git, [wanted.ref, `${wanted.ref}^{}`]);
  // An annotated tag is listed twice: the tag itself, and with ^{} the commit that it refers to.
  const commit = refs.get(`${wanted.ref}^{}`) ?? refs.get(wanted.ref);
  if (commit === undefined) throw await refNotFound(git, wanted);
  return { commit, name: wanted.kind === 'default branch' ? (head ?? 'HEAD') : wanted.name };
}

async function refNotFound(git: Git, wanted: WantedRef): Promise<RegistryError> {
  const names = await listNames(git);
  if (names?.length === 0) {
    return new NothingFound('RefNotFound', `${git.remote.name} is empty: it has no branch and no tag yet.`);
  }
  if (wanted.kind === 'default branch') {
    const branches = names
      ?.filter((ref) => ref.startsWith('refs/heads/'))
      .map((ref) => ref.slice('refs/heads/'.length));
    const some = branches?.length ? ` to one of ${branches.slice(0, 5).join(', ')}` : '';
    return new NothingFound('RefNotFound', `${git.remote.name} has no default branch: set git.branch${some}.`);
  }
  const prefix = wanted.kind === 'tag' ? 'refs/tags/' : 'refs/heads/';
  const other = wanted.kind === 'tag' ? 'branch' : 'tag';
  const shortNames = (start: string) =>
    names?.filter((ref) => ref.startsWith(start)).map((ref) => ref.slice(start.length)) ?? [];
  const isOther = shortNames(wanted.kind === 'tag' ? 'refs/heads/' : 'refs/tags/').includes(wanted.name);
  const hint = isOther
    ? ` It has a ${other} of that name: set git.${other}.`
    : didYouMean(nearNames(wanted.name, shortNames(prefix)));
  return new RegistryError('RefNotFound', `${git.remote.name} has no ${wanted.kind} "${wanted.name}".${hint}`);
}

/** Returns the full names of branches and tags, or undefined if there are too many to list. */
async function listNames(git: Git): Promise<string[] | undefined> {
  try {
    const { refs } = await listRefs(git, ['refs/heads/*', 'refs/tags/*']);
    return [...refs.keys()].filter((ref) => !ref.endsWith('^{}'));
  } catch (error) {
    if (error instanceof RegistryError && error.reason === 'FetchFailed') return undefined;
    throw error;
  }
}

async function listRefs(
  git: Git,
  patterns: readonly string[],
): Promise<{ refs: Map<string, string>; head: string | undefined }> {
  const { stdout } = await git.remotely(['ls-remote', '--symref', '--end-of-options', git.remote.url, ...patterns]);
  const refs = new Map<string, string>();
  let head: string | undefined;
  for (const line of stdout.split('\n')) {
    const [value = '', ref = ''] = line.split('\t');
    if (value.startsWith('ref: ') && ref === 'HEAD') head = value.slice('ref: '.length).replace('refs/heads/', '');
    else if (isCommitId(value)) refs.set(ref, value);
  }
  return { refs, head };
}
