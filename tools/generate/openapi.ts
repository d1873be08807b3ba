import { apiDocument, genericDocument } from '#registry-api/http/openapi/document.js';

const FOLDER = 'apps/registry-api/src/http/openapi';

/**
 * The OpenAPI documents that the server serves: one for the whole API, one for the part that mirrors of an API root
 * read.
 */
export const openApiFiles = [
  { path: `${FOLDER}/api.json`, render: () => write(apiDocument()) },
  { path: `${FOLDER}/generic-api.json`, render: () => write(genericDocument()) },
];

/** Writes each value on its own line, so that edits can be compared and merged. */
function write(document: object): string {
  return `${JSON.stringify(document, null, 1)}\n`;
}
