import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { RegistryError } from '#domain/registry-error.js';
import { run, RunFailure } from '#subprocess/run.js';
import type { RunOptions, RunResult } from '#subprocess/run.js';
import { concealPrivate } from '../conceal-private.js';
import type { SourceContext } from '../context.js';
import type { Access } from './access.js';
import { prepareGit, toEnvironment } from './environment.js';
import type { GitSetup } from './environment.js';
import { hitLimit, toConnectionFailure, toFailure, tooHeavy } from './failure.js';
import type { Remote } from './remote.js';
import { createRoute } from './route.js';
import type { Route, RouteSettings } from './route.js';

/** A private bare repository and the commands that run in it. */
export interface Git {
  readonly remote: Remote;
  /**
   * Runs a command without network access. Never throws because of an exit code, but throws the reason of the signal.
   */
  local(args: readonly string[], output?: Output): Promise<RunResult>;
  /** Runs a command that may access the remote. Throws a RegistryError if it fails. */
  remotely(args: readonly string[], output?: Output): Promise<RunResult>;
  /** Deletes the repository with everything that was fetched. */
  discard(): Promise<void>;
  /** Replaces the repository by an empty one. */
  startOver(objectFormat: ObjectFormat): Promise<void>;
}

export type ObjectFormat = 'sha1' | 'sha256';

export type Output = Partial<Pick<RunOptions, 'maxOutputBytes' | 'stdoutFile' | 'input'>>;

const MAX_LISTING_BYTES = 16 * 1024 * 1024;
const MAX_REPOSITORY_BYTES = 512 * 1024 * 1024;
/**
 * Maximum number of pack files. Each fetch adds one or two, and beyond this number, a new repository is cheaper than a
 * repack.
 */
const MAX_PACK_FILES = 400;
const SIZE_CHECK_MS = 250;
/**
 * Slack between our size limit and that of the kernel, so that ours is reached first, because its message is more
 * helpful.
 */
const FILE_SLACK_BYTES = 64 * 1024 * 1024;

/**
 * Memory limits of git. The responses of a host determine how much memory git needs: endless lists of refs, or deltas
 * that unpack to gigabytes. The limits are ten times what a normal repository needs, and less than a pod can spare.
 */
const MEMORY = { addressSpaceBytes: 224 * 1024 * 1024, residentBytes: 224 * 1024 * 1024 };

/** Settings of a command without network access. The proxy in them does not exist, so git cannot fetch. */
const NO_ROUTE: RouteSettings = {
  config: [['http.proxy', 'socks5h://127.0.0.1:1']],
  variables: { GIT_SSH_COMMAND: 'false', GIT_NO_LAZY_FETCH: '1' },
};

/**
 * Opens the source's repository for `use`. Credentials are in files and in the environment, and are removed afterwards.
 */
export async function withGit<Result>(
  remote: Remote,
  access: Access,
  context: SourceContext,
  use: (git: Git) => Promise<Result>,
): Promise<Result> {
  await mkdir(context.cacheDirectory, { recursive: true });
  const directory = await repositoryDirectory(remote, context);
  const home = await mkdtemp(join(context.cacheDirectory, 'home-'));
  try {
    const setup = await prepareGit(remote, access, directory, home, context);
    await using route = createRoute(remote, setup, context);
    return await concealPrivate(
      remote.name,
      context,
      () => route.isPrivate,
      use(new Repository(remote, directory, setup, route, context)),
    );
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

class Repository implements Git {
  readonly #directory: string;
  readonly #setup: GitSetup;
  readonly #route: Route;
  readonly #context: SourceContext;
  readonly remote: Remote;

  constructor(remote: Remote, directory: string, setup: GitSetup, route: Route, context: SourceContext) {
    this.remote = remote;
    this.#directory = directory;
    this.#setup = setup;
    this.#route = route;
    this.#context = context;
  }

  get #maxRepositoryBytes(): number {
    return this.#context.settings.maxRepositoryBytes ?? MAX_REPOSITORY_BYTES;
  }

  async local(args: readonly string[], output: Output = {}): Promise<RunResult> {
    const { signal, settings } = this.#context;
    return this.#run(args, NO_ROUTE, {
      signal,
      timeoutMs: settings.fetchTimeoutMs,
      maxOutputBytes: MAX_LISTING_BYTES,
      ...output,
    });
  }

  async remotely(args: readonly string[], output: Output = {}): Promise<RunResult> {
    const { signal, settings } = this.#context;
    using growth = this.#watchGrowth();
    const route = await this.#route.open().catch((error: unknown) => {
      throw toConnectionFailure(this.remote, error);
    });
    const result = await this.#run(args, route, {
      signal: AbortSignal.any([signal, growth.tooBig]),
      timeoutMs: settings.fetchTimeoutMs,
      maxOutputBytes: MAX_LISTING_BYTES,
      ...output,
    });
    if (result.exitCode === 0) return result;
    const { failure } = this.#route;
    throw failure === undefined ? toFailure(this.remote, result.stderr) : toConnectionFailure(this.remote, failure);
  }

  async discard(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }

  async startOver(objectFormat: ObjectFormat): Promise<void> {
    await this.discard();
    const { exitCode, stderr } = await this.local([
      'init',
      '--quiet',
      '--bare',
      '--template=',
      `--object-format=${objectFormat}`,
    ]);
    if (exitCode !== 0) throw toFailure(this.remote, stderr);
  }

  async #run(
    args: readonly string[],
    route: RouteSettings,
    options: Omit<RunOptions, 'env' | 'limits'>,
  ): Promise<RunResult> {
    try {
      const limits = { ...MEMORY, fileBytes: this.#maxRepositoryBytes + FILE_SLACK_BYTES };
      const { config, variables } = this.#setup;
      const env = toEnvironment([...config, ...route.config], { ...variables, ...route.variables });
      const result = await run('git', args, { ...options, limits, env, cwd: this.#context.cacheDirectory });
      if (result.exitCode !== 0 && hitLimit(result.stderr)) throw tooHeavy(this.remote);
      return result;
    } catch (error) {
      throw error instanceof RunFailure ? this.#explain(error) : error;
    }
  }

  #explain(failure: RunFailure): RegistryError {
    const { name } = this.remote;
    switch (failure.kind) {
      case 'timed-out': {
        const seconds = this.#context.settings.fetchTimeoutMs / 1000;
        return new RegistryError('Unreachable', `${name} did not respond within ${seconds} s.`, 'retry', {
          cause: failure,
        });
      }
      case 'too-much-memory':
        return tooHeavy(this.remote, failure);
      case 'too-much-output':
        return new RegistryError('FetchFailed', `${name} sends more data than is read.`, 'wait', {
          cause: failure,
        });
      case 'not-started':
        return new RegistryError(
          'InternalError',
          'The git command cannot be started: install git 2.31 or later where this process runs.',
          'retry',
          { cause: failure },
        );
    }
  }

  /**
   * Monitors the size of the repository. The server determines how much it sends, so the size of the folder is used to
   * limit a fetch. Growth is also reported as progress.
   */
  #watchGrowth(): Disposable & { readonly tooBig: AbortSignal } {
    const limit = this.#maxRepositoryBytes;
    const controller = new AbortController();
    let known = 0;
    const timer = setInterval(() => {
      void measurePacks(this.#directory).then(({ bytes }) => {
        if (bytes > known) this.#context.progress(`fetched ${Math.ceil(bytes / 1024)} KiB`);
        known = bytes;
        if (bytes <= limit) return;
        const message = `${this.remote.name} sends more than ${limit} bytes; a repository so large cannot be a source.`;
        controller.abort(new RegistryError('FetchFailed', message, 'wait'));
      });
    }, SIZE_CHECK_MS);
    return { tooBig: controller.signal, [Symbol.dispose]: () => clearInterval(timer) };
  }
}

/**
 * Returns the folder of the repository. Each URL has its own folder, so that objects of an earlier URL of the same
 * source cannot be used for this one.
 */
async function repositoryDirectory(remote: Remote, { cacheDirectory, settings }: SourceContext): Promise<string> {
  const name = `git-${createHash('sha256').update(remote.url).digest('hex').slice(0, 16)}`;
  for (const other of await readdir(cacheDirectory)) {
    const isLeftOver = (other.startsWith('git-') && other !== name) || other.startsWith('home-');
    if (isLeftOver) await rm(join(cacheDirectory, other), { recursive: true, force: true });
  }
  const directory = join(cacheDirectory, name);
  const { bytes, files } = await measurePacks(directory);
  const isWorn = files > MAX_PACK_FILES || bytes > (settings.maxRepositoryBytes ?? MAX_REPOSITORY_BYTES) / 2;
  if (isWorn) await rm(directory, { recursive: true, force: true });
  return directory;
}

async function measurePacks(directory: string): Promise<{ bytes: number; files: number }> {
  const packs = join(directory, 'objects', 'pack');
  const files = await readdir(packs).catch(() => []);
  // A file may be renamed between the two calls.
  const sizes = await Promise.all(
    files.map((file) =>
      stat(join(packs, file)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return { bytes: sizes.reduce((sum, size) => sum + size, 0), files: files.length };
}
