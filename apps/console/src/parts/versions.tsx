import { officialMeta } from '../api/server-document.js';
import type { ServerEntry } from '../api/server-document.js';
import { formatRoute } from '../route.js';
import { words } from '../words.js';
import { ShortText } from './text.js';
import { DateOnly } from './time.js';

/** Number of versions listed before the user expands the list. */
const SHORT = 20;

interface VersionsProps {
  /** Newest first. */
  readonly entries: readonly ServerEntry[];
  readonly shown: ServerEntry;
}

export function Versions({ entries, shown }: VersionsProps) {
  return (
    <section>
      <details class="fold" open={entries.length <= SHORT}>
        <summary>
          <h2>{words.server.versions(entries.length)}</h2>
        </summary>
        <table class="versions">
          <caption class="visually-hidden">{words.server.versions(entries.length)}</caption>
          <thead>
            <tr>
              <th scope="col">{words.server.version}</th>
              <th scope="col">{words.server.status}</th>
              <th scope="col">{words.server.published}</th>
              <th scope="col">{words.server.updated}</th>
            </tr>
          </thead>
          <tbody>
            {entries.map((entry) => (
              <VersionRow key={entry.server.version} entry={entry} isShown={entry === shown} />
            ))}
          </tbody>
        </table>
      </details>
    </section>
  );
}

function VersionRow({ entry, isShown }: { readonly entry: ServerEntry; readonly isShown: boolean }) {
  const { name, version } = entry.server;
  const { status, statusMessage, publishedAt, updatedAt, isLatest } = officialMeta(entry);
  return (
    <tr class={isShown ? 'current' : undefined}>
      <th scope="row" class="mono">
        <a href={formatRoute({ page: 'server', name, version })} aria-current={isShown ? 'true' : undefined}>
          <ShortText limit={60}>{version}</ShortText>
        </a>{' '}
        {isLatest && <span class="badge good">{words.server.latest}</span>}
      </th>
      <td>
        {status === 'active' && words.server.active}
        {status === 'deprecated' && (
          <ShortText>
            {statusMessage === undefined ? words.list.deprecated : words.list.deprecatedBecause(statusMessage)}
          </ShortText>
        )}
        {status === 'deleted' && words.list.removed}
      </td>
      <td data-label={words.server.published}>{publishedAt !== undefined && <DateOnly iso={publishedAt} />}</td>
      <td data-label={words.server.updated}>{updatedAt !== undefined && <DateOnly iso={updatedAt} />}</td>
    </tr>
  );
}
