import type { EntryRecord, RegistryEntryRecord } from '#persistence/read-entries.js';

/** Returns one item per name with its versions. The records must be in order of name. */
export function toEntryViews(records: readonly EntryRecord[]): object[] {
  const versionsByName = Map.groupBy(records, ({ name }) => name);
  return Array.from(versionsByName, ([name, versions]) => ({
    entryType: 'server',
    name,
    versions: versions.map(toVersionView),
  }));
}

function toVersionView(record: EntryRecord): object {
  const { version, title, description, status, hiddenBy, publishedAt, updatedAt } = record;
  const { publisherProvider: provider, publisherSubject: subject, sha256 } = record;
  return {
    version,
    ...(title !== null && { title }),
    description,
    status,
    ...(hiddenBy !== null && { hiddenBy }),
    ...(provider !== null && { publishedBy: { provider, subject }, sha256 }),
    createdAt: publishedAt,
    updatedAt,
  };
}

export function toRegistryEntryView(record: RegistryEntryRecord): object {
  const { name, version, title, description, publishedAt, updatedAt, sourceName, position } = record;
  return {
    entryType: 'server',
    name,
    version,
    ...(title !== null && { title }),
    description,
    createdAt: publishedAt,
    updatedAt,
    sourceName,
    position,
  };
}
