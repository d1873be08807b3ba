import { apiDocument, genericDocument } from '#registry-api/http/openapi/document.js';

const FOLDER = 'apps/registry-api/src/http/openapi';

/** The OpenAPI documents that the server sends: the whole API, and what mirrors of one API root read. */
export const openApiFiles = [
  { path: `${FOLDER}/api.json`, render: () => write(apiDocument()) },
  { path: `${FOLDER}/generic-api.json`, render: () => write(genericDocument()) },
];

/** A line for each value, so that edits can be compared and merged. */
function write(document: object): string {
  return `${JSON.stringify(document, null, 1)}\n`;
}
