import type { DocumentFault } from '../documents/document-fault.js';

/** One result of `validate`. An `error` would be rejected or quarantined by the server; a `note` is a hint. */
export interface Finding extends DocumentFault {
  readonly severity: 'error' | 'note';
}

export function toErrors(faults: readonly DocumentFault[]): Finding[] {
  return faults.map((fault) => ({ severity: 'error', ...fault }));
}

export function toNotes(faults: readonly DocumentFault[]): Finding[] {
  return faults.map((fault) => ({ severity: 'note', ...fault }));
}
