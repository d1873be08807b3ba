/** An entry of which only the document is wanted, in the state in which the catalogue knows it. */
export interface BodyRequest {
  readonly sourceId: number;
  readonly name: string;
  readonly version: string;
  readonly changedAtMs: number;
}

/** Documents that did not fit into memory, from where they are stored. */
export abstract class StoredBodies {
  /** In the order of the requests. Throws `DatabaseAway`, or `BodyChanged`. */
  abstract fetch(requests: readonly BodyRequest[]): Promise<readonly Buffer[]>;
}

/** The document is another one by now, and the catalogue will know it in a moment. */
export class BodyChanged extends Error {
  constructor() {
    super('this entry is changing; try again in a moment');
    this.name = 'BodyChanged';
  }
}
