import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { session } from '../session/session.js';
import { useStore } from '../store.js';
import { Poller } from './poller.js';
import type { RequestFault } from './request.js';

export interface Resource<Body> {
  readonly data: Body | undefined;
  /** Error of the newest request; `data` is then from an earlier one. */
  readonly fault: RequestFault | undefined;
  readonly isLoading: boolean;
  refresh(): void;
}

export interface ResourceOptions<Body> {
  /** Time between two requests, which may depend on the data; undefined to request only once. */
  readonly everyMs?: number | ((data: Body | undefined) => number | undefined);
  /** Whether the data of the previous path stays visible until the data of the new path has arrived. */
  readonly keepsOlder?: boolean;
}

interface Kept {
  readonly body: unknown;
  readonly etag: string | undefined;
}

/** An LRU cache of responses, so that navigating back shows the previous data immediately. */
const kept = new Map<string, Kept>();
const MAX_KEPT = 20;
session.subscribe(() => kept.clear());

/** Fetches a path of the API and polls it. Sends no request if `path` is undefined. */
export function useResource<Body>(path: string | undefined, options: ResourceOptions<Body> = {}): Resource<Body> {
  const caller = useStore(session);
  const poller = useRef<Poller<Body> | undefined>(undefined);
  const [state, setState] = useState<{ path?: string; data?: Body | undefined; fault?: RequestFault }>({});
  const latest = useRef<Body | undefined>(undefined);
  const everyMs = useRef(options.everyMs);
  everyMs.current = options.everyMs;

  useEffect(() => {
    if (path === undefined) return undefined;
    const known = kept.get(path);
    latest.current = known?.body as Body | undefined;
    if (known) setState({ path, data: known.body as Body });
    const started = new Poller<Body>({
      path,
      known,
      everyMs: () => (typeof everyMs.current === 'function' ? everyMs.current(latest.current) : everyMs.current),
      onAnswer(body, etag) {
        keep(path, { body, etag });
        latest.current = body;
        setState({ path, data: body });
      },
      onCurrent: () => setState((before) => (before.fault ? { path, data: latest.current } : before)),
      onFault: (fault) => setState({ path, data: latest.current, fault }),
    });
    poller.current = started;
    return () => started.stop();
  }, [path, caller?.token]);

  const refresh = useCallback(() => poller.current?.refresh(), []);
  const isCurrent = state.path === path;
  return {
    data: isCurrent || options.keepsOlder ? state.data : undefined,
    fault: isCurrent ? state.fault : undefined,
    isLoading: path !== undefined && !isCurrent,
    refresh,
  };
}

function keep(path: string, answer: Kept): void {
  kept.delete(path);
  kept.set(path, answer);
  const [oldest] = kept.keys();
  if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest);
}
