import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { findOnPath } from '#devstack/find-on-path.js';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome'];

/** The browser that CHROMIUM names, or the first on PATH. */
export async function findBrowser(): Promise<string | undefined> {
  const named = process.env['CHROMIUM'];
  if (named) return named;
  const found = await Promise.all(NAMES.map(findOnPath));
  return found.flat()[0];
}

interface Message {
  readonly id?: number;
  readonly sessionId?: string;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** A real browser without a window, led by its own protocol (https://chromedevtools.github.io/devtools-protocol). */
export class Browser implements AsyncDisposable {
  private commands = 0;
  private readonly waiting = new Map<number, PromiseWithResolvers<Record<string, unknown>>>();
  private readonly pages = new Map<string, Page>();

  private constructor(
    private readonly child: ChildProcess,
    private readonly profile: string,
    private readonly socket: WebSocket,
  ) {
    socket.addEventListener('message', ({ data }) => this.hear(JSON.parse(String(data)) as Message));
  }

  static async start(executable: string): Promise<Browser> {
    const profile = await mkdtemp(join(tmpdir(), 'browser-'));
    const flags = ['--headless=new', '--no-first-run', '--disable-gpu', '--disable-dev-shm-usage'];
    // It refuses root its sandbox; the pages here are our own.
    if (process.getuid?.() === 0) flags.push('--no-sandbox');
    const child = spawn(executable, [...flags, '--remote-debugging-port=0', `--user-data-dir=${profile}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const socket = new WebSocket(await debuggerUrl(child));
    await once(socket, 'open');
    return new Browser(child, profile, socket);
  }

  /** Opens a page and waits until it has loaded. */
  async open(url: string): Promise<Page> {
    const { targetId } = await this.command('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.command('Target.attachToTarget', { targetId, flatten: true });
    const page = new Page((method, params) => this.command(method, params, sessionId as string));
    this.pages.set(sessionId as string, page);
    await page.load(url);
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = this.child.exitCode === null ? once(this.child, 'exit') : undefined;
    // It may end before it answers.
    this.command('Browser.close').catch(() => undefined);
    await exited;
    // What it started ends a moment later, and writes until then.
    await rm(this.profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }

  private command(method: string, params: object = {}, sessionId?: string): Promise<Record<string, unknown>> {
    const id = ++this.commands;
    const answer = Promise.withResolvers<Record<string, unknown>>();
    this.waiting.set(id, answer);
    this.socket.send(JSON.stringify({ id, method, params, ...(sessionId !== undefined && { sessionId }) }));
    return answer.promise;
  }

  private hear({ id, sessionId, method, params = {}, result = {}, error }: Message): void {
    if (id === undefined) {
      if (method !== undefined) this.pages.get(sessionId ?? '')?.notice(method, params);
      return;
    }
    if (error) this.waiting.get(id)?.reject(new Error(error.message));
    else this.waiting.get(id)?.resolve(result);
    this.waiting.delete(id);
  }
}

/** A page, and what it said and asked for since it was opened. */
export class Page {
  /** Uncaught errors, and what was written to the console as an error or warning. */
  readonly complaints: string[] = [];
  readonly requested: string[] = [];
  private readonly loaded = Promise.withResolvers<void>();

  constructor(private readonly command: (method: string, params?: object) => Promise<Record<string, unknown>>) {}

  async load(url: string): Promise<void> {
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await this.command(`${domain}.enable`);
    const { errorText } = await this.command('Page.navigate', { url });
    if (errorText !== undefined) throw new Error(`${url}: ${String(errorText)}`);
    await this.loaded.promise;
  }

  /** Runs the body of an async function there; `argument` and what it returns travel as JSON. */
  async run<Result>(body: string, argument: unknown = null): Promise<Result> {
    const { result, exceptionDetails } = (await this.command('Runtime.evaluate', {
      expression: `(async (argument) => {${body}})(${JSON.stringify(argument)})`,
      awaitPromise: true,
      returnByValue: true,
    })) as { result: { value: Result }; exceptionDetails?: { exception?: { description?: string } } };
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? 'the page threw something');
    return result.value;
  }

  notice(method: string, params: Record<string, unknown>): void {
    if (method === 'Page.loadEventFired') this.loaded.resolve();
    if (method === 'Network.requestWillBeSent') this.requested.push((params['request'] as { url: string }).url);
    const isComplaint =
      method === 'Runtime.exceptionThrown' ||
      (method === 'Runtime.consoleAPICalled' && ['error', 'warning', 'assert'].includes(String(params['type']))) ||
      (method === 'Log.entryAdded' && ['error', 'warning'].includes((params['entry'] as { level: string }).level));
    if (isComplaint) this.complaints.push(JSON.stringify(params));
  }
}

async function debuggerUrl(child: ChildProcess): Promise<string> {
  const said: string[] = [];
  for await (const line of createInterface(child.stderr!)) {
    const [, url] = /DevTools listening on (ws:\S+)/.exec(line) ?? [];
    if (url !== undefined) {
      child.stderr!.resume();
      return url;
    }
    said.push(line);
  }
  throw new Error(`the browser did not start:\n${said.join('\n')}`);
}
