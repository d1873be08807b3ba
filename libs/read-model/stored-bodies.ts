/** A request for the document of an entry, in the state that the catalogue knows. */
export interface BodyRequest {
  readonly sourceId: number;
  readonly name: string;
  readonly version: string;
  readonly changedAtMs: number;
}

/** Fetches documents that did not fit into memory from where they are stored. */
export abstract class StoredBodies {
  /** Returns the documents in the order of the requests. Throws `DatabaseAway` or `BodyChanged`. */
  abstract fetch(requests: readonly BodyRequest[]): Promise<readonly Buffer[]>;
}

/** Thrown if the document has changed in the meantime. The catalogue will have the new one in a moment. */
export class BodyChanged extends Error {
  constructor() {
    super('this entry is changing; retry in a moment');
    this.name = 'BodyChanged';
  }
}
