import { listRoute, navigate, route } from './navigation.js';
import { preferences } from './preferences.js';

/** Maximum time between the keys of a sequence such as `g s`. */
const SEQUENCE_MS = 1_000;

/** Selects the rows of a list, in order. */
const ROWS = '[data-row]';

let pending: { readonly key: string; readonly at: number } | undefined;

/** Handles keyboard shortcuts, unless the user is in a field or a dialog. Single-key shortcuts can be switched off. */
export function listenToKeys(): void {
  addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector('dialog[open]')) return;
    if (isField(event.target)) onKeyInField(event);
    else if (act(event)) event.preventDefault();
  });
}

function onKeyInField(event: KeyboardEvent): void {
  if (event.key === 'ArrowDown' && isSearch(event.target) && moveRow(1)) event.preventDefault();
}

/** Handles a key; returns whether it was a shortcut. */
function act({ key, target }: KeyboardEvent): boolean {
  if (key === 'ArrowDown' || key === 'ArrowUp') return isRow(target) && moveRow(key === 'ArrowDown' ? 1 : -1);
  if (key === 'Escape') return goBack();
  if (!preferences.get().hasShortcuts) return false;
  const first = pending !== undefined && Date.now() - pending.at < SEQUENCE_MS ? pending.key : '';
  pending = key === 'g' && first === '' ? { key, at: Date.now() } : undefined;
  switch (first === '' ? key : `${first} ${key}`) {
    case '/':
      return focusSearch();
    case 'j':
      return moveRow(1);
    case 'k':
      return moveRow(-1);
    case 'i':
      return focusOn('[data-install]');
    case '?':
      return go({ page: 'help' });
    case 'g s':
      return go({ page: 'sources' });
    case 'g c':
      return go(listRoute());
    default:
      return false;
  }
}

function go(next: Parameters<typeof navigate>[0]): boolean {
  navigate(next);
  return true;
}

function goBack(): boolean {
  const { page } = route.get();
  if (page === 'servers') return false;
  return go(page === 'source' ? { page: 'sources' } : listRoute());
}

/** Focuses the search field, immediately if it is on the page, because the user may type on without a pause. */
function focusSearch(): boolean {
  if (selectSearchField()) return true;
  navigate(listRoute());
  requestAnimationFrame(selectSearchField);
  return true;
}

function selectSearchField(): boolean {
  const field = document.querySelector<HTMLInputElement>('input[type=search]');
  field?.focus();
  field?.select();
  return field !== null;
}

function focusOn(selector: string): boolean {
  const element = document.querySelector<HTMLElement>(selector);
  element?.focus();
  return element !== null;
}

/** Moves the focus to the next or previous row, or to the first one if no row has the focus. */
function moveRow(step: 1 | -1): boolean {
  const rows = [...document.querySelectorAll<HTMLElement>(ROWS)];
  const at = rows.findIndex((row) => row === document.activeElement);
  if (at === 0 && step < 0) return focusSearchField();
  const next = rows[at < 0 ? 0 : at + step];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
  return next !== undefined;
}

function focusSearchField(): boolean {
  return focusOn('input[type=search]');
}

const isRow = (target: EventTarget | null): boolean => target instanceof Element && target.matches(ROWS);

const isSearch = (target: EventTarget | null): boolean =>
  target instanceof HTMLInputElement && target.type === 'search';

const isField = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable ||
    target.matches('textarea, select, input:not([type=checkbox], [type=radio], [type=button])'));
