/**
 * An SQL expression for what is sent of an entry before the official block of `_meta`: the document and, where other
 * namespaces are beside it, the beginning of `_meta` with these.
 */
export const SERVED_DOCUMENT = `CASE WHEN foreign_meta IS NULL THEN server_json
  ELSE server_json || ',"_meta":{' || foreign_meta || ',' END`;
