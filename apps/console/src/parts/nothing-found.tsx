import { consoleInfo, hasFeature } from '../api/console.js';
import { choose, countChosen, formatRoute } from '../route.js';
import type { FacetName, Search } from '../route.js';
import { useStore } from '../store.js';
import { words } from '../words.js';
import { Notice } from './notice.js';
import { withoutHidden } from './text.js';

interface NothingFoundProps {
  readonly search: Search;
  onSearch(next: Search): void;
}

const NAME = /^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/;

/**
 * Suggests which part of the search to drop. If the text looks like a name, explains why that name may not be served.
 */
export function NothingFound({ search, onSearch }: NothingFoundProps) {
  const info = useStore(consoleInfo);
  const { text, chosen } = search;
  if (text === '' && countChosen(search) === 0) {
    return (
      <Notice title={words.list.emptyRegistry}>
        <p>{words.list.emptyRegistryHint}</p>
        <p>
          <a href="#/sources">{words.sources}</a>
        </p>
      </Notice>
    );
  }
  const filters = Object.entries(chosen) as [FacetName, readonly string[]][];
  return (
    <Notice title={words.list.empty}>
      <p>{words.list.emptyHint}</p>
      <div class="actions start">
        {text !== '' && (
          <button type="button" onClick={() => onSearch({ ...search, text: '' })}>
            {withoutHidden(words.list.dropText(text))}
          </button>
        )}
        {filters.map(([facet, values]) => (
          <button type="button" key={facet} onClick={() => onSearch(choose(search, facet, []))}>
            {withoutHidden(words.list.dropFilter(words.facets.groups[facet], toText(facet, values)))}
          </button>
        ))}
      </div>
      {info && hasFeature(info, 'explain') && NAME.test(text) && (
        <p>
          <a href={formatRoute({ page: 'server', name: text })}>{words.list.why(text)}</a>
        </p>
      )}
    </Notice>
  );
}

const toText = (facet: FacetName, values: readonly string[]): string =>
  values.map((value) => words.facets.values[facet]?.[value] ?? value).join(', ');
