import { useEffect, useRef, useState } from 'preact/hooks';
import type { Search } from '../route.js';
import { words } from '../words.js';
import { SearchIcon } from './icons.js';

/**
 * Throttle interval of searches: the first letter is searched for immediately, the following ones at the end of the
 * interval.
 */
const THROTTLE_MS = 120;

interface SearchBoxProps {
  readonly search: Search;
  readonly total: number | undefined;
  readonly isLoading: boolean;
  onSearch(next: Search, how: 'push' | 'replace'): void;
  /** Called when the user wants to open the first server that this text finds. */
  onOpen(text: string): void;
}

export function SearchBox({ search, total, isLoading, onSearch, onOpen }: SearchBoxProps) {
  const [text, setText] = useState(search.text);
  const latest = useRef(search);
  latest.current = search;
  const throttle = useThrottle(THROTTLE_MS);
  // The back button and links may change the text, but not while the user is typing.
  useEffect(() => {
    if (!throttle.isWaiting()) setText(search.text);
  }, [search.text]);
  const onInput = (typed: string) => {
    setText(typed);
    throttle.run(() => onSearch({ ...latest.current, text: typed }, latest.current.text === '' ? 'push' : 'replace'));
  };
  return (
    <search class="search-box">
      <label>
        <SearchIcon />
        <span class="visually-hidden">{words.list.search}</span>
        <input
          type="search"
          value={text}
          placeholder={words.list.placeholder(search.text === '' ? total : undefined)}
          autocomplete="off"
          spellcheck={false}
          maxLength={256}
          onInput={(event) => onInput(event.currentTarget.value)}
          // The next action may leave the page, so the URL must have the whole text before.
          onBlur={throttle.flush}
          onKeyDown={(event) => {
            if (event.key === 'Escape' && text !== '') {
              event.preventDefault();
              onInput('');
            } else if (event.key === 'Enter' && !event.isComposing && text !== '') {
              event.preventDefault();
              throttle.flush();
              onOpen(text);
            }
          }}
        />
        <kbd aria-hidden="true">/</kbd>
      </label>
      <p class={isLoading ? 'found busy' : 'found'}>{total !== undefined && words.list.found(total)}</p>
    </search>
  );
}

/**
 * A throttle with a leading and a trailing call. If there are several calls within the interval, only the newest is
 * made at its end.
 */
function useThrottle(ms: number) {
  const state = useRef<{ timer?: ReturnType<typeof setTimeout> | undefined; next?: (() => void) | undefined }>({});
  useEffect(() => () => clearTimeout(state.current.timer), []);
  return {
    isWaiting: () => state.current.next !== undefined,
    /** Makes the pending call immediately, if there is one. */
    flush() {
      const { timer, next } = state.current;
      if (!next) return;
      clearTimeout(timer);
      state.current = {};
      next();
    },
    run(call: () => void) {
      if (state.current.timer !== undefined) {
        state.current.next = call;
        return;
      }
      call();
      const onOver = () => {
        const { next } = state.current;
        state.current = {};
        if (next) this.run(next);
      };
      state.current.timer = setTimeout(onOver, ms);
    },
  };
}
