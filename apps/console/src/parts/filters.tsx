import { useEffect, useState } from 'preact/hooks';
import { SINGLE } from '../api/servers.js';
import type { Facets, FacetValue } from '../api/servers.js';
import { formats } from '../format.js';
import { choose, countChosen, EVERYTHING, FACETS, toggle } from '../route.js';
import type { FacetName, Search } from '../route.js';
import { words } from '../words.js';
import { Text } from './text.js';

interface FiltersProps {
  readonly search: Search;
  readonly facets: Facets | undefined;
  onSearch(next: Search, how?: 'push' | 'replace'): void;
}

const WIDE = '(min-width: 56rem)';
/** Number of values of a group that are shown before the user expands it. */
const SHORT = 6;

/** Groups of filters with their counts, shown beside the list or, if there is no room, above it. */
export function Filters({ search, facets, onSearch }: FiltersProps) {
  const isWide = useMedia(WIDE);
  const [isOpen, setOpen] = useState(false);
  if (!facets) return <aside class="filters" />;
  const chosen = countChosen(search);
  const groups = (
    <>
      {chosen > 0 && (
        <button type="button" class="link" onClick={() => onSearch({ ...EVERYTHING, text: search.text })}>
          {words.facets.clear}
        </button>
      )}
      {FACETS.map((facet) => (
        <Group key={facet} facet={facet} values={facets.facets[facet] ?? []} search={search} onSearch={onSearch} />
      ))}
    </>
  );
  if (isWide) {
    return (
      <aside class="filters" aria-label={words.facets.title}>
        {groups}
      </aside>
    );
  }
  return (
    <aside class="filters" aria-label={words.facets.title}>
      <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          {words.facets.title}
          {chosen > 0 && <span class="muted"> · {words.facets.chosen(chosen)}</span>}
        </summary>
        <div class="groups">{groups}</div>
      </details>
    </aside>
  );
}

interface GroupProps {
  readonly facet: FacetName;
  readonly values: readonly FacetValue[];
  readonly search: Search;
  onSearch(next: Search): void;
}

/** One group: alternatives as check boxes, or as radio buttons if the API accepts only one value. */
function Group({ facet, values, search, onSearch }: GroupProps) {
  const [isWhole, setWhole] = useState(false);
  const chosen = search.chosen[facet] ?? [];
  const all = withChosen(values, chosen);
  // A group with a single value cannot narrow the list.
  if (all.length < 2 && chosen.length === 0) return null;
  const isSingle = SINGLE.includes(facet);
  const shown = isWhole || all.length <= SHORT + 1 ? all : all.slice(0, SHORT);
  return (
    <fieldset>
      <legend>{words.facets.groups[facet]}</legend>
      {isSingle && (
        <label class="choice">
          <input
            type="radio"
            name={facet}
            checked={chosen.length === 0}
            onChange={() => onSearch(choose(search, facet, []))}
          />
          <span>{words.facets.any}</span>
        </label>
      )}
      {shown.map(({ value, count }) => (
        <label class="choice" key={value}>
          <input
            type={isSingle ? 'radio' : 'checkbox'}
            name={facet}
            checked={chosen.includes(value)}
            onChange={() => onSearch(isSingle ? choose(search, facet, [value]) : toggle(search, facet, value))}
          />
          <span>
            <FacetText facet={facet} value={value} />
          </span>
          <span class="count">{formats.number(count)}</span>
        </label>
      ))}
      {all.length > SHORT + 1 && (
        <button type="button" class="link" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
          {isWhole ? words.facets.fewer : words.facets.more(all.length - SHORT)}
        </button>
      )}
    </fieldset>
  );
}

const FacetText = ({ facet, value }: { readonly facet: FacetName; readonly value: string }) => {
  const known = words.facets.values[facet]?.[value];
  return known === undefined ? <Text limit={60}>{value}</Text> : <>{known}</>;
};

/** Adds the chosen values that are missing in the list, because no server has them any more or they are too rare. */
function withChosen(values: readonly FacetValue[], chosen: readonly string[]): readonly FacetValue[] {
  const missing = chosen.filter((value) => !values.some((one) => one.value === value));
  return [...missing.map((value) => ({ value, count: 0 })), ...values];
}

function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const update = () => setMatches(media.matches);
    media.addEventListener('change', update);
    return () => media.removeEventListener('change', update);
  }, [query]);
  return matches;
}
