import { hash } from 'node:crypto';

/** Returns a digest that is short enough for a label, an annotation or a name. */
export function digestOf(value: unknown): string {
  return hash('sha256', JSON.stringify(value)).slice(0, 16);
}
