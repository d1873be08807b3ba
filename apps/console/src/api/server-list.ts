import { createStore } from '../store.js';
import { EVERYTHING } from '../route.js';
import type { Search } from '../route.js';
import { retryDelay } from './poller.js';
import { RequestFault, request } from './request.js';
import { listPath, toRow } from './servers.js';
import type { Scope, ServerPage, ServerRow } from './servers.js';

export interface ServerListState {
  readonly search: Search;
  readonly rows: readonly ServerRow[];
  /** Number of servers on all pages; undefined before the first response. */
  readonly total: number | undefined;
  readonly cursor: string | undefined;
  readonly isLoading: boolean;
  readonly fault: RequestFault | undefined;
}

const PAGE = 50;
const LARGEST_PAGE = 1000;

const EMPTY = { rows: [], total: undefined, cursor: undefined, isLoading: false, fault: undefined };

/**
 * The list of servers, loaded page by page. It outlives the page that shows it, so that navigating back finds the rows
 * again.
 */
export class ServerList {
  readonly state = createStore<ServerListState>({ search: EVERYTHING, ...EMPTY });
  private abort = new AbortController();
  private hasStarted = false;
  private failures = 0;
  private scope: Scope;

  /** Switches to another search. The previous rows stay until the first new ones have arrived. */
  show(search: Search, scope?: Scope): void {
    const isSame = scope === this.scope && sameSearch(search, this.state.get().search);
    if (this.hasStarted && isSame && !this.state.get().fault) return;
    this.hasStarted = true;
    this.scope = scope;
    this.update({ search });
    void this.load(PAGE);
  }

  /** Reloads the rows that are shown, in place. */
  refresh(): void {
    if (this.hasStarted) void this.load(Math.min(LARGEST_PAGE, Math.max(PAGE, this.state.get().rows.length)));
  }

  loadMore(): void {
    const { cursor, isLoading } = this.state.get();
    if (cursor !== undefined && !isLoading) void this.load(PAGE, cursor);
  }

  /** Discards everything, for another caller. */
  reset(): void {
    this.abort.abort();
    this.hasStarted = false;
    this.state.set({ search: EVERYTHING, ...EMPTY });
  }

  /** Loads rows, aborting the previous request. */
  private async load(limit: number, cursor?: string): Promise<void> {
    this.abort.abort();
    this.abort = new AbortController();
    const { signal } = this.abort;
    this.update({ isLoading: true });
    try {
      const path = listPath(this.state.get().search, { limit, cursor }, this.scope);
      const { body, total } = await request<ServerPage>(path, { signal });
      if (signal.aborted || !body) return;
      const rows = body.servers.map(toRow);
      const { rows: before } = this.state.get();
      this.failures = 0;
      this.update({
        rows: cursor === undefined ? rows : [...before, ...rows],
        total,
        cursor: body.metadata.nextCursor,
        isLoading: false,
        fault: undefined,
      });
    } catch (error) {
      if (signal.aborted) return;
      const fault = error instanceof RequestFault ? error : new RequestFault(0, String(error));
      this.update({ isLoading: false, fault });
      this.retryLater(fault, signal);
    }
  }

  /** Schedules a reload if the failure may be temporary, unless another request is sent first. */
  private retryLater(fault: RequestFault, signal: AbortSignal): void {
    if (!fault.isPassing) return;
    setTimeout(
      () => {
        if (!signal.aborted) this.refresh();
      },
      fault.retryAfterMs ?? retryDelay(++this.failures),
    );
  }

  private update(change: Partial<ServerListState>): void {
    this.state.set({ ...this.state.get(), ...change });
  }
}

export const sameSearch = (a: Search, b: Search): boolean => JSON.stringify(a) === JSON.stringify(b);
