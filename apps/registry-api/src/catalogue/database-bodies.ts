import type { Queryable } from '#persistence/page.js';
import { BodyChanged, StoredBodies } from '#read-model/stored-bodies.js';
import type { BodyRequest } from '#read-model/stored-bodies.js';
import { SERVED_DOCUMENT } from './served-document.js';

export class DatabaseBodies extends StoredBodies {
  readonly #database: Queryable;

  constructor(database: Queryable) {
    super();
    this.#database = database;
  }

  async fetch(requests: readonly BodyRequest[]): Promise<readonly Buffer[]> {
    const { rows } = await this.#database.query<{ place: string; body: string }>(
      `SELECT wanted.place, ${SERVED_DOCUMENT} AS body
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
