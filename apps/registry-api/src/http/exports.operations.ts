import { belowEachName, pathParameter, queryParameter } from './openapi/operation.js';
import type { Operation } from './openapi/operation.js';

const text = { type: 'string' };
const choice = (...values: readonly string[]) => ({ type: 'string', enum: values, default: values[0] });

const parameters = [
  queryParameter(
    'names',
    'Comma-separated patterns of server names; keeps only the servers that match one of them.',
    text,
  ),
  queryParameter('tag', 'Keeps only servers that have all of these tags.', text),
  queryParameter('transport', 'Keeps only these transports: `stdio`, `http`, `sse`.', text),
  queryParameter(
    'prefer',
    'What a client file prefers if an entry has both: its remote or its package.',
    choice('remote', 'package'),
  ),
  queryParameter('deprecated', '`false` leaves deprecated servers out.', choice('true', 'false')),
  queryParameter('pinned', '`only` leaves out packages without a fixed version.', choice('any', 'only')),
  queryParameter('platform', 'Spelling of the launch commands.', choice('any', 'posix', 'windows')),
  queryParameter('dialects', 'Command lines that a policy allows: `portable`, `vscode`, `apm`.', text),
  queryParameter('include', 'Adds weaker rules: `server-names`, `templates`.', text),
  queryParameter('deny', 'Sources whose servers become deny rules.', text),
  queryParameter('env', 'Naming of placeholders.', choice('prefixed', 'plain')),
  queryParameter('overridable', 'Whether a team may override the lists of Copilot.', choice('false', 'true')),
  queryParameter('download', 'Whether the browser saves the file instead of showing it.', choice('false', 'true')),
];

/** Describes the exports of the registry and of each source. */
export function exportOperations(): readonly Operation[] {
  const format = pathParameter('format', 'Id of a format, with or without its extension.');
  const shared = { method: 'get', tag: 'Exports', isCached: true } as const;
  return belowEachName('', ({ path, name, scope }) => [
    {
      ...shared,
      path: `${path}/exports`,
      id: `${name}Exports`,
      summary: 'Lists the formats in which the servers can be exported',
      parameters: scope,
      success: { status: 200, answer: 'ExportIndex', headers: ['X-Catalogue-Revision'] },
      problems: [404, 503],
    },
    {
      ...shared,
      path: `${path}/exports/{format}`,
      id: `${name}Export`,
      summary: 'Exports the servers as a client configuration or policy file',
      parameters: [...scope, format, ...parameters],
      success: {
        status: 200,
        media: ['application/json', 'application/toml', 'application/yaml', 'text/plain'],
        headers: ['X-Catalogue-Revision', 'X-Export-Omitted', 'X-Export-Stale'],
      },
      problems: [404, 422, 503],
    },
    {
      ...shared,
      path: `${path}/exports/{format}/report`,
      id: `${name}ExportReport`,
      summary: 'Reports which servers are in the file, and why the others are not',
      parameters: [...scope, format, ...parameters],
      success: { status: 200, answer: 'ExportReport', headers: ['X-Catalogue-Revision'] },
      problems: [404, 422, 503],
    },
  ]);
}
