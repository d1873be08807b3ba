import type { Queryable } from '#persistence/page.js';

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

export class DatabaseBodies extends StoredBodies {
  readonly #database: Queryable;

  constructor(database: Queryable) {
    super();
    this.#database = database;
  }

  async fetch(requests: readonly BodyRequest[]): Promise<readonly Buffer[]> {
    const { rows } = await this.#database.query<{ place: string; body: string }>(
      `SELECT wanted.place, entry.server_json AS body
         FROM unnest($1::int[], $2::text[], $3::text[], $4::float8[])
              WITH ORDINALITY AS wanted (source_id, name, version, changed_at, place)
         JOIN entry USING (source_id, name, version)
        WHERE extract(epoch FROM greatest(entry.updated_at, entry.deleted_at)) * 1000 = wanted.changed_at`,
      [
        requests.map(({ sourceId }) => sourceId),
        requests.map(({ name }) => name),
        requests.map(({ version }) => version),
        requests.map(({ changedAtMs }) => changedAtMs),
      ],
    );
    const bodies = new Map(rows.map(({ place, body }) => [Number(place) - 1, Buffer.from(body)]));
    return requests.map((_, index) => {
      const body = bodies.get(index);
      if (!body) throw new BodyChanged();
      return body;
    });
  }
}
