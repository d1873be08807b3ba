/**
 * SQL expression for the bytes of an entry that precede the official block of `_meta`: the document and, if it has
 * other namespaces, the start of `_meta` with these.
 */
export const SERVED_DOCUMENT = `CASE WHEN foreign_meta IS NULL THEN server_json
  ELSE server_json || ',"_meta":{' || foreign_meta || ',' END`;
