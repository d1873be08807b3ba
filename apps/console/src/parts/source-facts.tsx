import type { ComponentChildren } from 'preact';
import { addressOf } from '../api/sources.js';
import type { Source } from '../api/sources.js';
import { findLink } from '../text/links.js';
import { words } from '../words.js';
import { ExternalLink } from './external-link.js';
import { ShortText, Text } from './text.js';
import { RelativeTime } from './time.js';

const text = words.sync;

/** Describes a source and its last check. */
export function SourceFacts({ source }: { readonly source: Source }) {
  const { sourceType, format, syncSchedule, syncStatus, filterConfig } = source;
  const address = addressOf(source);
  const filters = filterTexts(filterConfig);
  return (
    <dl class="facts">
      <Fact name={text.kind}>
        <ShortText limit={60}>{words.sync.kinds[sourceType] ?? sourceType}</ShortText>
        <span class="muted">
          {' '}
          · <ShortText limit={60}>{format}</ShortText>
        </span>
      </Fact>
      {address !== undefined && (
        <Fact name={text.address}>
          {findLink(address) ? <ExternalLink url={address} /> : <Text limit={500}>{address}</Text>}
        </Fact>
      )}
      {syncStatus.lastSyncTime !== undefined && (
        <Fact name={text.lastSync}>
          <RelativeTime iso={syncStatus.lastSyncTime} />
        </Fact>
      )}
      {syncSchedule !== undefined && <Fact name={text.every}>{syncSchedule}</Fact>}
      {syncStatus.revision !== undefined && (
        <Fact name={text.revision}>
          <code title={syncStatus.revision}>
            <ShortText limit={12}>{syncStatus.revision}</ShortText>
          </code>
        </Fact>
      )}
      {filters.length > 0 && (
        <Fact name={text.filter}>
          <ul class="plain">
            {filters.map((filter) => (
              <li key={filter}>
                <ShortText limit={400}>{filter}</ShortText>
              </li>
            ))}
          </ul>
        </Fact>
      )}
    </dl>
  );
}

const Fact = ({ name, children }: { readonly name: string; readonly children: ComponentChildren }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

/** Describes a filter of the form `{names: {include, exclude}, tags: {include, exclude}}`. */
function filterTexts(filter: Readonly<Record<string, unknown>> = {}): string[] {
  return Object.entries(filter).flatMap(([what, rules]) => {
    const { include, exclude } = (rules ?? {}) as Partial<Record<'include' | 'exclude', unknown>>;
    return [
      ...(Array.isArray(include) ? [text.include(what, include.join(', '))] : []),
      ...(Array.isArray(exclude) ? [text.exclude(what, exclude.join(', '))] : []),
    ];
  });
}
