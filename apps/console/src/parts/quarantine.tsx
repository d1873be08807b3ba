import { useEffect, useState } from 'preact/hooks';
import { request } from '../api/request.js';
import type { RequestFault } from '../api/request.js';
import { quarantinePath } from '../api/sources.js';
import type { QuarantinedEntry, QuarantineList } from '../api/sources.js';
import { words } from '../words.js';
import { Text } from './text.js';

const text = words.quarantine;

interface QuarantineProps {
  readonly name: string;
  /** Number of quarantined entries that the source reports. The list is reloaded when it changes. */
  readonly count: number;
}

/** Lists the entries that cannot be served, with the location and the description of each error. */
export function Quarantine({ name, count }: QuarantineProps) {
  const { entries, cursor, fault, loadMore } = usePages(name, count);
  return (
    <section>
      <h2>{text.title(count)}</h2>
      <p class="muted">{text.text}</p>
      {fault && (
        <p class="hint bad">
          <Text limit={500}>{fault.message}</Text>
        </p>
      )}
      <table class="quarantine">
        <caption class="visually-hidden">{text.title(count)}</caption>
        <thead>
          <tr>
            <th scope="col">{text.entry}</th>
            <th scope="col">{text.path}</th>
            <th scope="col">{text.message}</th>
          </tr>
        </thead>
        <tbody>
          {entries.map((entry, at) => (
            <tr key={at}>
              <th scope="row">
                <Text limit={300}>{entry.name ?? entry.key}</Text>{' '}
                {entry.version !== undefined && (
                  <code>
                    <Text limit={60}>{entry.version}</Text>
                  </code>
                )}
              </th>
              <td data-label={text.path}>
                {entry.path === undefined ? (
                  <span class="muted">{text.whole}</span>
                ) : (
                  <code>
                    <Text limit={300}>{entry.path}</Text>
                  </code>
                )}
              </td>
              <td data-label={text.message}>
                <Text limit={1000}>{entry.message}</Text>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {cursor !== undefined && (
        <button type="button" onClick={loadMore}>
          {text.more}
        </button>
      )}
    </section>
  );
}

interface Pages {
  readonly entries: readonly QuarantinedEntry[];
  readonly cursor?: string | undefined;
  readonly fault?: RequestFault;
}

function usePages(name: string, count: number): Pages & { loadMore(): void } {
  const [pages, setPages] = useState<Pages>({ entries: [] });
  const load = async (signal: AbortSignal, before: readonly QuarantinedEntry[], cursor?: string) => {
    try {
      const { body } = await request<QuarantineList>(quarantinePath(name, cursor), { signal });
      if (body) setPages({ entries: [...before, ...body.quarantine], cursor: body.metadata.nextCursor });
    } catch (error) {
      if (!signal.aborted) setPages({ entries: before, cursor, fault: error as RequestFault });
    }
  };
  useEffect(() => {
    const abort = new AbortController();
    void load(abort.signal, []);
    return () => abort.abort();
  }, [name, count]);
  return { ...pages, loadMore: () => void load(new AbortController().signal, pages.entries, pages.cursor) };
}
