import type { QuarantinedEntry } from './catalogue-entry.js';
import { RegistryError } from './registry-error.js';

/** The number of faults that the message quotes. */
const QUOTED_FAULTS = 3;

/** The failure of a revision whose entries are all in quarantine. */
export class NothingServable extends RegistryError {
  /** `data` names the data in the message; `quarantined` holds at least the first three of `count` entries. */
  constructor(data: string, quarantined: readonly QuarantinedEntry[], count: number) {
    const quoted = quarantined.slice(0, QUOTED_FAULTS);
    const faults = quoted.map(({ key, path, message }) => `${key}: ${path ? `${path} ` : ''}${message}`);
    const more = count > faults.length ? `; and ${count - faults.length} more` : '';
    super('InvalidData', `No entry of ${data} can be served: ${faults.join('; ')}${more}.`);
  }
}
