import { ENTRY_FILE } from '#domain/entry-file.js';
import { compileGlob } from '#domain/glob.js';
import { matchSteps } from '#domain/match-steps.js';
import type { PatternStep } from '#domain/match-steps.js';

/** The files that the path of a source selects below a root. */
export interface FileSelection {
  /** The folder that contains all selected files, without a trailing slash. Empty for the top. */
  readonly root: string;
  /** Returns whether the file at this path, which starts with the root, is selected. */
  isSelected(path: string): boolean;
  /** Returns whether the folder at this path, which starts with the root, may contain a selected file. */
  mayHold(folder: string): boolean;
}

/** The characters that make a path a pattern. */
const PATTERN = /[*?[]/;

/** Returns whether a path is a pattern rather than a single file or folder. */
export const isPattern = (path: string): boolean => PATTERN.test(path);

/**
 * Returns the files that a path selects: those that match a pattern, or all below a folder. In a pattern, `*`, `?` and
 * `[a-z]` match within a name, and `**` matches any number of folders. Names that start with a dot match only if the
 * pattern has the dot. Throws a SyntaxError for a malformed pattern.
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
    isSelected: (file) => ENTRY_FILE.test(file) && matchSteps(steps, file.split('/')),
    mayHold: (folder) => {
      const names = folder.split('/');
      return leadsOn(steps, names) && mayBeEntered(names.slice(literal.length), seesHidden);
    },
  };
}

/** The folder at the top of file systems such as ext4 that only root can list. */
const RECOVERED = 'lost+found';

function mayBeEntered(names: readonly string[], seesHidden: boolean): boolean {
  return names[0] !== RECOVERED && (seesHidden || names.every(isVisible));
}

/** Returns whether the names match the steps before the first `**`, or before the file name if there is no `**`. */
function leadsOn(steps: readonly Step[], names: readonly string[]): boolean {
  const isDeep = steps.some(({ isRun }) => isRun);
  const fixed = steps.slice(0, isDeep ? steps.findIndex(({ isRun }) => isRun) : -1);
  if (!isDeep && names.length > fixed.length) return false;
  return fixed.slice(0, names.length).every((step, index) => step.accepts(names[index] as string));
}

type Step = PatternStep<string>;

/** Compiles one segment of a pattern. `**` matches any number of folders. */
function compileSegment(segment: string): Step {
  if (segment === '**') return { isRun: true, accepts: isVisible };
  const glob = compileGlob(segment);
  return { isRun: false, accepts: (name) => (isVisible(name) || segment.startsWith('.')) && glob.matches(name) };
}

function isVisible(name: string): boolean {
  return !name.startsWith('.');
}
