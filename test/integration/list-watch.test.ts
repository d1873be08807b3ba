import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HttpKubernetesApi } from '#kubernetes/kubernetes-api.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import { ListWatch } from '#kubernetes/list-watch.js';
import type { ListWatchOptions, Pace } from '#kubernetes/list-watch.js';
import { adminAccess } from '#support/api-server.js';
import { eventually } from '#support/eventually.js';
import { createNamespace } from '#support/namespace.js';
import { sharedApiServer } from '#support/shared-api-server.js';
import { UnreliableProxy } from '#api-server/unreliable-proxy.js';

interface ConfigMap extends KubernetesObject {
  readonly data?: Record<string, string>;
}

/** Relists are so rare that only the event under test can reveal a change. */
const PACE: Partial<Pace> = { firstMs: 20, longestMs: 200, silenceMs: 60_000 };

let api: HttpKubernetesApi;
let throughProxy: HttpKubernetesApi;
let proxy: UnreliableProxy;
let namespace: string;
let watcher: ListWatch<ConfigMap> | undefined;
let told: string[];
let troubles: string[];

beforeEach(async () => {
  const access = adminAccess(await sharedApiServer());
  api = new HttpKubernetesApi(access);
  proxy = await UnreliableProxy.before(access);
  throughProxy = new HttpKubernetesApi(proxy.access);
  namespace = await createNamespace(api);
  told = [];
  troubles = [];
});

afterEach(async () => {
  await watcher?.stop();
  await Promise.all([api.close(), throughProxy.close()]);
  await proxy[Symbol.asyncDispose]();
});

function watch(
  pace: Partial<Pace> = PACE,
  handlers: Partial<Pick<ListWatchOptions<ConfigMap>, 'onPresent' | 'onGone'>> = {},
): ListWatch<ConfigMap> {
  watcher = new ListWatch<ConfigMap>({
    api: throughProxy,
    kind: 'ConfigMap',
    namespace,
    pace,
    onPresent: ({ metadata, data }) => void told.push(`${metadata.name}=${data?.['v']}`),
    onGone: ({ name }) => void told.push(`${name} gone`),
    onTrouble: (error, object) =>
      void troubles.push([object?.name, (error as Error).message].filter(Boolean).join(': ')),
    ...handlers,
  });
  return watcher;
}

async function put(name: string, v: string): Promise<void> {
  await api.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: { v } } as ConfigMap);
}

const remove = (name: string) => api.delete('ConfigMap', { namespace, name });

/** Waits until exactly these events have been reported. */
async function heard(...expected: string[]): Promise<void> {
  await eventually(() => (told.length >= expected.length ? true : undefined));
  expect(told).toEqual(expected);
}

const watches = () => proxy.requests.filter((url) => url.includes('watch=true')).length;
const lists = () => proxy.requests.length - watches();

/** Waits for open watches. A watch counts as open when the server has received its request. */
const watching = (atLeast = 1) => eventually(() => (watches() >= atLeast ? true : undefined));

describe('a watcher', () => {
  it('reports existing objects, and each change once', async () => {
    await put('a', '1');
    await watch().synced;
    expect(told).toEqual(['a=1']);
    await put('a', '2');
    await put('a', '2');
    await put('b', '1');
    await remove('a');
    await heard('a=1', 'a=2', 'b=1', 'a gone');
  });

  it('reports an object that was created again under its name as deleted and new', async () => {
    await put('a', '1');
    await watch({ ...PACE, relistMs: [300, 300], watchMs: [1000, 1000] }).synced;
    proxy.decide = ({ isWatch }) => (isWatch ? 'silence' : 'none');
    proxy.cutWatches();
    await remove('a');
    await put('a', '2');
    proxy.decide = () => 'none';
    proxy.cutWatches();
    await heard('a=1', 'a gone', 'a=2');
  });

  it('misses nothing when its connection is broken repeatedly', async () => {
    await watch().synced;
    const expected: string[] = [];
    for (let round = 1; round <= 5; round++) {
      await watching(round);
      proxy.cutWatches();
      await put('a', String(round));
      expected.push(`a=${round}`);
      await heard(...expected);
    }
    expect(lists()).toBe(1);
  });

  it('lists again when its resourceVersion has expired', async () => {
    await put('a', '1');
    await watch().synced;
    await watching();
    let expired = 0;
    proxy.decide = ({ isWatch }) => (isWatch && expired++ < 2 ? 'expire-410' : 'none');
    proxy.cutWatches();
    await eventually(() => (expired > 2 ? true : undefined));
    await put('b', '1');
    await heard('a=1', 'b=1');
    expect(lists()).toBe(3);
  });

  it('closes a silent connection', async () => {
    await watch({ ...PACE, silenceMs: 1_000 }).synced;
    await watching();
    proxy.decide = ({ isWatch }) => (isWatch ? 'silence' : 'none');
    proxy.cutWatches();
    await watching(2);
    proxy.decide = () => 'none';
    await put('a', '1');
    await heard('a=1');
    expect(troubles.join()).toContain('the API server does not respond');
  });

  it('backs off while the server fails, and continues when it recovers', async () => {
    proxy.decide = () => 'refuse-500';
    await put('a', '1');
    const { synced } = watch();
    await eventually(() => (proxy.requests.length >= 4 ? true : undefined));
    expect(troubles[0]).toContain('InternalError by the proxy');
    proxy.decide = () => 'none';
    await synced;
    expect(told).toEqual(['a=1']);
  });

  it('finds by a list what a watch missed, and reports nothing else again', async () => {
    await put('a', '1');
    proxy.decide = ({ isWatch }) => (isWatch ? 'silence' : 'none');
    await watch({ ...PACE, relistMs: [50, 50], watchMs: [1_000, 1_000], silenceMs: 1_000 }).synced;
    await watching();
    await put('b', '1');
    await heard('a=1', 'b=1');
    await eventually(() => (lists() >= 3 ? true : undefined));
    expect(told).toEqual(['a=1', 'b=1']);
  });

  it('reports nothing after it was stopped', async () => {
    await watch().synced;
    await watching();
    await watcher!.stop();
    await put('a', '1');
    expect(told).toEqual([]);
  });

  it('isolates an object whose handler throws: the others are reported, and it is reported again after the next list', async () => {
    for (const name of ['a', 'poison', 'z']) await put(name, '1');
    let isPoisonous = true;
    const note = ({ metadata, data }: ConfigMap) => {
      if (metadata.name === 'poison' && isPoisonous) throw new RangeError('Maximum call stack size exceeded');
      told.push(`${metadata.name}=${data?.['v']}`);
    };
    await watch({ ...PACE, relistMs: [1_000, 1_000], watchMs: [1_000, 1_000] }, { onPresent: note }).synced;
    expect(told).toEqual(['a=1', 'z=1']);
    await watching();
    await put('poison', '2');
    await put('b', '1');
    await heard('a=1', 'z=1', 'b=1');
    expect(new Set(troubles)).toEqual(new Set(['poison: Maximum call stack size exceeded']));
    isPoisonous = false;
    await heard('a=1', 'z=1', 'b=1', 'poison=2');
  });

  it('survives a handler of deletions that throws', async () => {
    await put('a', '1');
    const onGone = () => {
      throw new Error('broken');
    };
    await watch(PACE, { onGone }).synced;
    await watching();
    await remove('a');
    await put('b', '1');
    await heard('a=1', 'b=1');
    expect(troubles).toEqual(['a: broken']);
  });

  it('lets other work of the process run while it handles a long list', async () => {
    const names = Array.from({ length: 30 }, (_, at) => `m${at}`);
    await Promise.all(names.map((name) => put(name, '1')));
    let [handled, mostInARow, inARow] = [0, 0, 0];
    const timer = setInterval(() => (inARow = 0), 1);
    const block = () => {
      for (const until = performance.now() + 20; performance.now() < until;);
      handled++;
      mostInARow = Math.max(mostInARow, ++inARow);
    };
    await watch(PACE, { onPresent: block }).synced;
    clearInterval(timer);
    expect(handled).toBe(names.length);
    expect(mostInARow).toBeLessThan(names.length / 2);
  });

  it('counts a refusal as a response, and continues when it is admitted', async () => {
    await put('a', '1');
    proxy.decide = () => 'refuse-403';
    const list = watch();
    await list.answered;
    expect([list.state, list.isSynced]).toEqual(['refused', false]);
    proxy.decide = () => 'none';
    await list.synced;
    expect([list.state, told]).toEqual(['watching', ['a=1']]);
  });

  it('requests a kind that the cluster does not have only rarely', async () => {
    proxy.decide = () => 'refuse-404';
    await watch({ ...PACE, unknownKindMs: [60_000, 60_000] }).answered;
    await put('a', '1');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(lists()).toBe(1);
  });
});
