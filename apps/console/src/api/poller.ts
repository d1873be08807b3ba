import { RequestFault, request } from './request.js';

const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 60_000;

/** Returns the wait after `failures` consecutive failures: exponential backoff from 2 s up to a minute. */
export const retryDelay = (failures: number): number =>
  Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.max(0, failures - 1));

export interface PollerOptions<Body> {
  readonly path: string;
  readonly method?: 'GET' | 'HEAD';
  /** Time between two requests; undefined to poll only until the first success. */
  everyMs(): number | undefined;
  /** The response that an earlier poller of the same path received. */
  readonly known?: { readonly etag: string | undefined } | undefined;
  /** Called with each response except 304. */
  onAnswer(body: Body | undefined, etag: string | undefined): void;
  /** Called with each response, including 304. */
  onCurrent?(): void;
  onFault(fault: RequestFault): void;
}

/** Polls one path with its ETag, only while the tab is visible, and more slowly after failures. */
export class Poller<Body> {
  private readonly abort = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private failures = 0;
  private isAsking = false;
  private isWanted = false;
  private etag: string | undefined;
  private dueAt = 0;

  constructor(private readonly options: PollerOptions<Body>) {
    this.etag = options.known?.etag;
    document.addEventListener('visibilitychange', this.onVisibility);
    void this.ask();
  }

  /** Sends a request now, or right after the current request if there is one. */
  refresh(): void {
    if (this.isAsking) this.isWanted = true;
    else void this.ask();
  }

  /** Applies a changed interval immediately. */
  reschedule(): void {
    if (!this.isAsking) this.schedule(this.options.everyMs());
  }

  stop(): void {
    document.removeEventListener('visibilitychange', this.onVisibility);
    clearTimeout(this.timer);
    this.abort.abort();
  }

  private readonly onVisibility = (): void => {
    if (document.visibilityState !== 'visible') clearTimeout(this.timer);
    else if (this.dueAt > 0 && !this.isAsking) this.schedule(Math.max(0, this.dueAt - Date.now()));
  };

  private async ask(): Promise<void> {
    clearTimeout(this.timer);
    this.isAsking = true;
    const delay = await this.askOnce();
    this.isAsking = false;
    if (this.abort.signal.aborted) return;
    const wasWanted = this.isWanted;
    this.isWanted = false;
    this.schedule(wasWanted ? 0 : delay);
  }

  /** Sends one request and returns the time until the next one. */
  private async askOnce(): Promise<number | undefined> {
    const { path, method = 'GET' } = this.options;
    try {
      const answer = await request<Body>(path, { method, signal: this.abort.signal, etag: this.etag });
      this.failures = 0;
      this.etag = answer.etag ?? this.etag;
      if (!answer.isUnchanged) this.options.onAnswer(answer.body, answer.etag);
      this.options.onCurrent?.();
      return this.options.everyMs();
    } catch (error) {
      if (this.abort.signal.aborted) return undefined;
      const fault = error instanceof RequestFault ? error : new RequestFault(0, String(error));
      this.options.onFault(fault);
      // Do not retry if access is denied or the resource does not exist: a new token starts a new poller.
      return fault.isPassing ? (fault.retryAfterMs ?? retryDelay(++this.failures)) : undefined;
    }
  }

  private schedule(delayMs: number | undefined): void {
    clearTimeout(this.timer);
    this.dueAt = delayMs === undefined ? 0 : Date.now() + delayMs;
    if (delayMs === undefined || document.visibilityState !== 'visible') return;
    this.timer = setTimeout(() => void this.ask(), delayMs);
  }
}
