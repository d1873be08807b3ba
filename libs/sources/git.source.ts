import { shortened } from '#domain/shortened.js';
import { readAccess } from './git/access.js';
import { fetchCommit } from './git/fetch-commit.js';
import { withGit } from './git/git.js';
import type { Git } from './git/git.js';
import { gitServerSpec, gitSpec } from './git/git-spec.js';
import type { GitSpec } from './git/git-spec.js';
import { readFileAt } from './git/read-file.js';
import { isFolderAt, readFolderAt } from './git/read-folder.js';
import { displayUrl, toRemote } from './git/remote.js';
import { resolveRef, wantedRef } from './git/resolve-ref.js';
import { defineSource } from './source.js';
import { unprotectedNotices } from './unprotected.js';
import type { SourceContext } from './context.js';

/** Maximum number of characters of a ref in a notice. A SHA-256 commit id has 64. */
const SHOWN_REF = 64;

/**
 * Reads one file of a git repository, or the files of a folder, with the git command. It fetches only the commit's
 * trees and the required blobs, without history or checkout. The revision is the commit id.
 */
export const gitSource = defineSource<GitSpec>({
  block: 'git',
  view: { type: 'REMOTE', sourceType: 'git', address: 'repository' },
  shape: 'file',
  runsProgram: true,
  spec: gitSpec,
  serverSpec: gitServerSpec,

  address: ({ repository }) => displayUrl(repository),

  objects: [
    { path: ['auth', 'passwordSecretRef'], kind: 'Secret', fileField: 'passwordFile' },
    { path: ['auth', 'sshKeySecretRef'], kind: 'Secret' },
    { path: ['auth', 'knownHostsSecretRef'], kind: 'Secret' },
    { path: ['caCertRef'], kind: 'ConfigMap' },
  ],

  notices(spec) {
    const [first, ...ignored] = (['commit', 'tag', 'branch'] as const).flatMap((name) =>
      spec[name] === undefined ? [] : [`git.${name} ${shortened(spec[name], SHOWN_REF)}`],
    );
    const message = `${first} takes precedence over ${ignored.join(' and ')}`;
    return [
      ...(ignored.length > 0 ? [{ reason: 'MultipleGitRefs', message } as const] : []),
      ...(spec.auth ? unprotectedNotices({ 'git.repository': spec.repository }) : []),
    ];
  },

  async resolve(spec, context) {
    const wanted = wantedRef(spec);
    const { commit, name } = await open(spec, context, (git) => resolveRef(git, wanted));
    const at = wanted.kind === 'commit' ? commit : `${name}@${commit}`;
    return { revision: commit, label: `${spec.path} at ${at}` };
  },

  async download(spec, { revision, label }, path, context) {
    const wanted = wantedRef(spec);
    await open(spec, context, async (git) => {
      await fetchCommit(git, revision, wanted);
      const place = { commit: revision, path: spec.path, label, wanted };
      const read = (await isFolderAt(git, place)) ? readFolderAt : readFileAt;
      await read(git, place, path, context);
    });
  },
});

async function open<Result>(
  spec: GitSpec,
  context: SourceContext,
  use: (git: Git) => Promise<Result>,
): Promise<Result> {
  const remote = toRemote(spec.repository, context.settings);
  return withGit(remote, await readAccess(spec, remote, context), context, use);
}
