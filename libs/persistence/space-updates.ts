import type { Client } from 'pg';
import type { OrderedVersion } from '#domain/version-order.js';
import { spreadVersions } from './update-times.js';

interface WrittenVersion extends OrderedVersion {
  readonly name: string;
}

/** Number of rows that are fetched at a time. */
const BATCH = 10_000;

/**
 * Gives increasing update times, one millisecond apart, to the versions of each name that this transaction wrote. The
 * latest version keeps the time of the transaction. `names` is given for a source that was empty before: it lists the
 * names whose versions have no such times yet.
 */
export async function spaceUpdates(client: Client, sourceId: number, names?: readonly string[]): Promise<void> {
  if (names?.length === 0) return;
  await client.query(
    `DECLARE written NO SCROLL CURSOR FOR
      SELECT name, version, coalesce(is_latest, false) AS "isMarkedLatest",
             (extract(epoch FROM published_at) * 1000)::float AS "publishedAtMs", position
        FROM (SELECT name, version, is_latest, published_at, position, count(*) OVER (PARTITION BY name) AS versions
                FROM entry
               WHERE source_id = $1 AND deleted_at IS NULL
                 AND ${names ? 'name = ANY ($2::text[])' : 'updated_at = now()::timestamptz(3)'}) AS entry
       WHERE versions > 1 ORDER BY name`,
    names ? [sourceId, names] : [sourceId],
  );
  let group: WrittenVersion[] = [];
  for (;;) {
    const { rows } = await client.query<WrittenVersion>(`FETCH FORWARD ${BATCH} FROM written`);
    group.push(...rows);
    // Versions of the last name may continue in the next batch.
    const last = rows.length < BATCH ? undefined : rows.at(-1)?.name;
    await dateBack(
      client,
      sourceId,
      group.filter(({ name }) => name !== last),
    );
    if (last === undefined) break;
    group = group.filter(({ name }) => name === last);
  }
  await client.query('CLOSE written');
}

async function dateBack(client: Client, sourceId: number, versions: readonly WrittenVersion[]): Promise<void> {
  const dated = [...Map.groupBy(versions, ({ name }) => name).values()].flatMap(spreadVersions);
  if (dated.length === 0) return;
  await client.query(
    `UPDATE entry SET updated_at = dated.at
       FROM (SELECT name, version, now()::timestamptz(3) - ms * interval '1 millisecond' AS at
               FROM unnest($2::text[], $3::text[], $4::int[]) AS given (name, version, ms)) AS dated
      WHERE entry.source_id = $1 AND entry.name = dated.name AND entry.version = dated.version
        AND entry.updated_at <> dated.at`,
    [
      sourceId,
      dated.map(({ version }) => version.name),
      dated.map(({ version }) => version.version),
      dated.map(({ earlierMs }) => earlierMs),
    ],
  );
}
