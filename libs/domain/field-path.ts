import { shortened } from './shortened.js';

/** Maximum number of characters of a field name that are shown. */
const SHOWN_STEP = 100;

/**
 * Returns a field name, or the name of a list item, for use in a message. Names are shortened, because users choose
 * them and they can have any length.
 */
export function shownStep(step: string): string {
  return shortened(step, SHOWN_STEP);
}

/** Returns a path for use in a message, such as `spec.registries[0].git.path`. */
export function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, given) => {
    if (typeof given === 'number') return `${text}[${given}]`;
    const step = shownStep(String(given));
    if (!/^[\w$-]+$/.test(step)) return `${text}[${JSON.stringify(step)}]`;
    return text ? `${text}.${step}` : step;
  }, '');
}
