import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { projectRoot } from '#environment/project-root.js';

const root = fileURLToPath(projectRoot);
const git = (...args: string[]) => execFileSync('git', ['-C', root, ...args], { encoding: 'utf8', maxBuffer: 2 ** 28 });

/**
 * Returns the newest release before this commit, or the commit in `PREVIOUS_RELEASE`. Undefined if there is no tag
 * `v*`.
 */
export function previousRelease(): string | undefined {
  const named = process.env['PREVIOUS_RELEASE'];
  if (named) return named;
  try {
    const tags = git('tag', '--list', 'v[0-9]*', '--sort=-v:refname', '--merged', 'HEAD', '--no-contains', 'HEAD');
    return tags.split('\n').find((tag) => tag !== '');
  } catch {
    // An archive without git history has no releases.
    return undefined;
  }
}

/** Another commit, built in a separate folder. */
export interface BuiltRelease extends AsyncDisposable {
  /** Path of the program. */
  readonly main: string;
}

/** Builds a commit, with the installed packages if its lock file is the same, otherwise with its own. */
export async function buildRelease(commit: string): Promise<BuiltRelease> {
  const directory = await mkdtemp(join(tmpdir(), 'previous-release-'));
  try {
    const archive = join(directory, 'release.tar');
    const source = join(directory, 'source');
    await mkdir(source);
    git('archive', `--output=${archive}`, commit);
    execFileSync('tar', ['-xf', archive, '-C', source]);
    const locks = [root, source].map((folder) => readFile(join(folder, 'package-lock.json'), 'utf8'));
    const [ours, theirs] = await Promise.all(locks);
    if (ours === theirs) await symlink(join(root, 'node_modules'), join(source, 'node_modules'));
    else execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: source, stdio: 'ignore' });
    execFileSync(process.execPath, ['tools/build.mjs'], { cwd: source, stdio: 'ignore' });
    const main = join(source, 'dist/apps/main.js');
    return { main, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}
