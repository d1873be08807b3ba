import { useEffect, useRef } from 'preact/hooks';
import type { ServerRow } from '../api/servers.js';
import { formats } from '../format.js';
import { formatRoute } from '../route.js';
import { words } from '../words.js';
import { ServerIcon } from './letter-icon.js';
import { ShortText } from './text.js';

interface ServerRowsProps {
  readonly rows: readonly ServerRow[];
  readonly total: number;
  readonly hasMore: boolean;
  onMore(): void;
}

export function ServerRows({ rows, total, hasMore, onMore }: ServerRowsProps) {
  const end = useRef<HTMLDivElement>(null);
  const more = useRef(onMore);
  more.current = onMore;
  // Load the next rows before the user reaches the end.
  useEffect(() => {
    if (!hasMore || !end.current) return undefined;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && more.current(), {
      rootMargin: '600px',
    });
    observer.observe(end.current);
    return () => observer.disconnect();
  }, [hasMore, rows.length]);
  return (
    <>
      <ul class="rows">
        {rows.map((row) => (
          <Row key={row.name} row={row} />
        ))}
      </ul>
      <div class="rows-end" ref={end}>
        <span class="muted">{words.list.shown(formats.number(rows.length), formats.number(total))}</span>
        {hasMore && (
          <button type="button" onClick={onMore}>
            {words.list.more}
          </button>
        )}
      </div>
    </>
  );
}

function Row({ row }: { readonly row: ServerRow }) {
  const { name, title, description, version, icon } = row;
  return (
    <li>
      <a class="row" data-row href={formatRoute({ page: 'server', name })}>
        <ServerIcon name={name} title={title} icon={icon} />
        <span class="row-title">
          <strong>
            <ShortText limit={120}>{title ?? name.slice(name.indexOf('/') + 1)}</ShortText>
          </strong>{' '}
          <span class="mono muted name">
            <ShortText limit={200}>{name}</ShortText>
          </span>
        </span>
        <span class="row-version mono">
          <ShortText limit={40}>{version}</ShortText>
        </span>
        <span class="row-text">
          <ShortText>{description}</ShortText>
        </span>
        <Badges row={row} />
      </a>
    </li>
  );
}

function Badges({ row }: { readonly row: ServerRow }) {
  const { isRemote, isLocal, isSecretFree, packageTypes, status, statusMessage } = row;
  const { list } = words;
  return (
    <span class="badges">
      {status === 'deprecated' && (
        <span class="badge warn">
          {statusMessage === undefined ? (
            list.deprecated
          ) : (
            <ShortText limit={120}>{list.deprecatedBecause(statusMessage)}</ShortText>
          )}
        </span>
      )}
      {isRemote && <span class="badge remote">{list.remote}</span>}
      {isLocal && <span class="badge">{list.local}</span>}
      {packageTypes.slice(0, 4).map((type) => (
        <span class="badge" key={type}>
          <ShortText limit={24}>{type}</ShortText>
        </span>
      ))}
      {!isRemote && !isLocal ? (
        <span class="badge">{list.noWay}</span>
      ) : (
        <span class={isSecretFree ? 'badge good' : 'badge'}>{isSecretFree ? list.noSecret : list.needsSecret}</span>
      )}
    </span>
  );
}
