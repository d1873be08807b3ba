import { ENTRY_FILE } from '#domain/entry-file.js';
import { compileGlob } from '#domain/glob.js';

/** What a path of a source names: files below a root. */
export interface FileSelection {
  /** The folder in which all selected files are, without a slash at the end; empty for the top. */
  readonly root: string;
  /** Reports whether the file at this path, which begins with the root, is one of them. */
  isSelected(path: string): boolean;
  /** Reports whether the folder at this path, which begins with the root, may hold one of them. */
  mayHold(folder: string): boolean;
}

/** A character that makes a path a pattern. */
const PATTERN = /[*?[]/;

/** Whether a path names files by a pattern, and not one file or one folder. */
export const isPattern = (path: string): boolean => PATTERN.test(path);

/**
 * Returns the files that a path stands for: those that a pattern matches, or all below a folder. In a pattern, `*`, `?` and `[a-z]` stay
 * within a name, and `**` is any number of folders. Names that begin with a dot are only matched by a pattern that has the dot.
 * Throws a SyntaxError for a malformed pattern.
 */
export function selectFiles(path: string): FileSelection {
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.');
  if (!isPattern(path)) {
    const depth = segments.length;
    return {
      root: segments.join('/'),
      isSelected: (file) => ENTRY_FILE.test(file) && file.split('/').slice(depth).every(isVisible),
      mayHold: (folder) => mayBeEntered(folder.split('/').slice(depth), false),
    };
  }
  const literal = segments.slice(0, segments.findIndex(isPattern));
  const steps = segments.map(compileSegment);
  const seesHidden = segments.some((segment) => !isVisible(segment));
  return {
    root: literal.join('/'),
    isSelected: (file) => ENTRY_FILE.test(file) && matches(steps, file.split('/')),
    mayHold: (folder) => {
      const names = folder.split('/');
      return leadsOn(steps, names) && mayBeEntered(names.slice(literal.length), seesHidden);
    },
  };
}

/** What file systems such as ext4 have at their top, and let nobody but root list. */
const RECOVERED = 'lost+found';

function mayBeEntered(names: readonly string[], seesHidden: boolean): boolean {
  return names[0] !== RECOVERED && (seesHidden || names.every(isVisible));
}

/** Reports whether the names fit the steps before the first `**`, or before the name of the file. */
function leadsOn(steps: readonly Step[], names: readonly string[]): boolean {
  const isDeep = steps.includes(undefined);
  const fixed = steps.slice(0, isDeep ? steps.indexOf(undefined) : -1);
  if (!isDeep && names.length > fixed.length) return false;
  return fixed.slice(0, names.length).every((accepts, index) => accepts?.(names[index] as string));
}

/** `undefined` is any number of folders. */
type Step = ((name: string) => boolean) | undefined;

function compileSegment(segment: string): Step {
  if (segment === '**') return undefined;
  const glob = compileGlob(segment);
  return (name) => (isVisible(name) || segment.startsWith('.')) && glob.matches(name);
}

const isVisible = (name: string): boolean => !name.startsWith('.');

/** Linear in names times steps: like a `*` in a name, only the last `**` is ever tried again. */
function matches(steps: readonly Step[], names: readonly string[]): boolean {
  let step = 0;
  let retryStep = -1;
  let retryAt = 0;
  for (let at = 0; at < names.length;) {
    const name = names[at] as string;
    const accepts = steps[step];
    if (step < steps.length && accepts === undefined) {
      retryStep = ++step;
      retryAt = at;
    } else if (accepts?.(name)) {
      step++;
      at++;
    } else if (retryStep >= 0 && isVisible(names[retryAt] as string)) {
      step = retryStep;
      at = ++retryAt;
    } else {
      return false;
    }
  }
  return steps.slice(step).every((rest) => rest === undefined);
}
