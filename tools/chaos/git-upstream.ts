import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { startGitHttpServer } from '#sources/testing/git-http-server.js';
import type { GitHttpServer } from '#sources/testing/git-http-server.js';
import { openGitRepository } from '#sources/testing/git-repository.js';
import { deltaBomb, HOSTILE_COMMIT, packet, startHostileGitHost } from '#sources/testing/hostile-git-host.js';
import type { HostileAnswers } from '#sources/testing/hostile-git-host.js';

export const CATALOGUE_PATH = 'registry.json';
/** The side-band that carries pack data (gitprotocol-pack). */
const PACK_BAND = Buffer.from([1]);
const PACKET_BYTES = 60_000;
const BOMB_COPIES = 1_000;

const HOSTILE_HOSTS: Readonly<Record<string, HostileAnswers>> = {
  'garbage in place of a pack': {
    pack: (send) => send.forever(() => packet(Buffer.concat([PACK_BAND, randomBytes(PACKET_BYTES)]))),
  },
  'delta bomb': {
    pack(send) {
      const bomb = deltaBomb(BOMB_COPIES);
      for (let from = 0; from < bomb.length; from += PACKET_BYTES) {
        send.packets(Buffer.concat([PACK_BAND, bomb.subarray(from, from + PACKET_BYTES)]));
      }
      send.flush();
      send.end();
    },
  },
  'endless list of refs': {
    refs: (send) => send.forever((index) => packet(`${HOSTILE_COMMIT} refs/heads/branch-${index}\n`)),
  },
  'garbage in place of refs': { advertisement: (send) => send.forever(() => randomBytes(PACKET_BYTES)) },
};

/** Responses of a hostile host that do not use the git protocol. */
const HOSTILE_ANSWERS: Readonly<Record<string, (response: ServerResponse) => unknown>> = {
  'redirect to a private address': (response) =>
    response.writeHead(302, { location: 'http://169.254.169.254/x.git/info/refs' }).end(),
  'error 500': (response) => response.writeHead(500).end('failure'),
  silence: () => undefined,
};

export const HOSTILE_GIT: readonly string[] = [...Object.keys(HOSTILE_HOSTS), ...Object.keys(HOSTILE_ANSWERS)];

/** A git host with one repository per source. It can turn hostile for a single source. */
export class GitUpstream implements AsyncDisposable {
  readonly #hostile = new Map<string, (request: IncomingMessage, response: ServerResponse) => void>();
  /** Responses of the hostile host that are not complete yet. */
  readonly #open = new Map<ServerResponse, string>();
  readonly #hosts = new Map<string, AsyncDisposable & { readonly url: string }>();

  #server: GitHttpServer | undefined;

  private constructor(private readonly directory: string) {}

  static async start(directory: string): Promise<GitUpstream> {
    await mkdir(directory, { recursive: true });
    const upstream = new GitUpstream(directory);
    upstream.#server = await startGitHttpServer({
      repository: join(directory, 'any'),
      intercept: (request, response) => upstream.#intercept(request, response),
    });
    for (const [name, answers] of Object.entries(HOSTILE_HOSTS)) {
      upstream.#hosts.set(name, await startHostileGitHost(answers));
    }
    return upstream;
  }

  /** URL without a trailing slash. The path of each repository below it is the name of its source. */
  get url(): string {
    if (!this.#server) throw new Error('the git host does not listen yet');
    return this.#server.url;
  }

  async publish(source: string, file: string): Promise<void> {
    const directory = join(this.directory, source);
    const repository = openGitRepository(directory);
    if (await mkdir(directory, { recursive: true })) await repository.git('init', '--quiet', '--initial-branch=main');
    await repository.commit({ [CATALOGUE_PATH]: file });
  }

  /** Handles all requests for a source in this way ({@link HOSTILE_GIT}). If undefined, the host behaves well again. */
  behave(source: string, way: string | undefined): void {
    if (way === undefined) {
      this.#hostile.delete(source);
      for (const [response, asked] of this.#open) if (asked === source) response.destroy();
      return;
    }
    const host = this.#hosts.get(way);
    const answer = HOSTILE_ANSWERS[way];
    this.#hostile.set(source, (request, response) => {
      if (host) relay(request, response, host.url);
      else answer?.(response);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    for (const host of this.#hosts.values()) await host[Symbol.asyncDispose]();
  }

  #intercept(request: IncomingMessage, response: ServerResponse): boolean {
    const source = request.url?.split('/')[1] ?? '';
    const hostile = this.#hostile.get(source);
    if (!hostile) return false;
    this.#open.set(response, source);
    response.on('close', () => this.#open.delete(response));
    hostile(request, response);
    return true;
  }
}

/** Forwards a request to the host at `url`, which considers only the query and the body. */
function relay(request: IncomingMessage, response: ServerResponse, url: string): void {
  const upstream = httpRequest(url, { method: request.method, headers: request.headers });
  upstream.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
    answer.on('error', () => response.destroy());
  });
  upstream.on('error', () => response.destroy());
  response.on('close', () => upstream.destroy());
  request.pipe(upstream);
}
