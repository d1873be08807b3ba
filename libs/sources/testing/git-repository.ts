import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const exec = promisify(execFile);

/** A real repository in a temporary folder, with a working tree to commit from. */
export interface GitRepository extends AsyncDisposable {
  readonly directory: string;
  /** `file://` URL. */
  readonly url: string;
  git(...args: string[]): Promise<string>;
  /** Commits files (name → content; undefined removes a file) on the current branch, and returns the commit id. */
  commit(files: Readonly<Record<string, string | undefined>>): Promise<string>;
  link(name: string, target: string): Promise<string>;
}

export async function createGitRepository(options: { objectFormat?: 'sha1' | 'sha256' } = {}): Promise<GitRepository> {
  const directory = await mkdtemp(join(tmpdir(), 'git-repository-'));
  const repository = openGitRepository(directory);
  await repository.git('init', '--quiet', '--initial-branch=main', `--object-format=${options.objectFormat ?? 'sha1'}`);
  return repository;
}

/** Opens a repository that another process has created. */
export function openGitRepository(directory: string): GitRepository {
  const env = {
    PATH: process.env['PATH'],
    HOME: directory,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_AUTHOR_NAME: 'Test',
    GIT_AUTHOR_EMAIL: 'test@example.com',
    GIT_COMMITTER_NAME: 'Test',
    GIT_COMMITTER_EMAIL: 'test@example.com',
  };
  const git = async (...args: string[]) => (await exec('git', args, { cwd: directory, env })).stdout.trim();
  const commitAll = async () => {
    await git('add', '--all');
    await git('commit', '--quiet', '--allow-empty', '--message=change');
    return git('rev-parse', 'HEAD');
  };
  return {
    directory,
    url: `file://${directory}`,
    git,
    async commit(files) {
      for (const [name, content] of Object.entries(files)) {
        const path = join(directory, name);
        await mkdir(dirname(path), { recursive: true });
        await (content === undefined ? rm(path) : writeFile(path, content));
      }
      return commitAll();
    },
    async link(name, target) {
      await symlink(target, join(directory, name));
      return commitAll();
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
