import type { QuarantinedEntry } from './catalogue-entry.js';
import { RegistryError } from './registry-error.js';

/** Number of errors quoted in the message. */
const QUOTED_FAULTS = 3;

/** The failure of a revision that has all of its entries in quarantine. */
export class NothingServable extends RegistryError {
  /**
   * `data` is the name of the data in the message. `quarantined` has at least the first three of the `count` entries.
   */
  constructor(data: string, quarantined: readonly QuarantinedEntry[], count: number) {
    const quoted = quarantined.slice(0, QUOTED_FAULTS);
    const faults = quoted.map(({ key, path, message }) => `${key}: ${path ? `${path} ` : ''}${message}`);
    const more = count > faults.length ? `; and ${count - faults.length} more` : '';
    super('InvalidData', `No entry of ${data} can be served: ${faults.join('; ')}${more}.`);
  }
}
