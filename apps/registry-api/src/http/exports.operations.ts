import { pathParameter, queryParameter } from './openapi/operation.js';
import type { Operation } from './openapi/operation.js';

const text = { type: 'string' };
const choice = (...values: readonly string[]) => ({ type: 'string', enum: values, default: values[0] });

const parameters = [
  queryParameter('names', 'Patterns of server names, separated by commas; keeps only what fits one of them.', text),
  queryParameter('tag', 'With these tags, all of them.', text),
  queryParameter('transport', 'Keeps only these ways: `stdio`, `http`, `sse`.', text),
  queryParameter('prefer', 'Which kind of way a client file takes first.', choice('remote', 'package')),
  queryParameter('deprecated', '`false` leaves deprecated servers out.', choice('true', 'false')),
  queryParameter('pinned', '`only` leaves out packages without a fixed version.', choice('any', 'only')),
  queryParameter('platform', 'Which spelling of a command.', choice('any', 'posix', 'windows')),
  queryParameter('dialects', 'Command lines that a policy admits: `portable`, `vscode`, `apm`.', text),
  queryParameter('include', 'Weaker rules as well: `server-names`, `templates`.', text),
  queryParameter('deny', 'Names of sources whose servers become deny rules.', text),
  queryParameter('env', 'How placeholders are named.', choice('prefixed', 'plain')),
  queryParameter('overridable', 'Whether lists of Copilot may be overridden by a team.', choice('false', 'true')),
  queryParameter('download', 'Whether a browser saves the file.', choice('false', 'true')),
];

/** The exports below one root. */
export function exportOperations(root: string, idPrefix: string): readonly Operation[] {
  const scope = root.includes('{source}') ? [pathParameter('source', 'Name of a source.')] : [];
  const format = pathParameter('format', 'Id of a format, with or without its extension.');
  const shared = { method: 'get', tag: 'Exports', isCached: true } as const;
  return [
    {
      ...shared,
      path: `${root}/exports`,
      id: `${idPrefix}Exports`,
      summary: 'Lists the formats in which the servers can be exported',
      parameters: scope,
      success: { status: 200, answer: 'ExportIndex', headers: ['X-Catalogue-Revision'] },
      problems: [404, 503],
    },
    {
      ...shared,
      path: `${root}/exports/{format}`,
      id: `${idPrefix}Export`,
      summary: 'Renders the servers as a file of a client or a policy',
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
      path: `${root}/exports/{format}/report`,
      id: `${idPrefix}ExportReport`,
      summary: 'Says what of the servers is in the file, and why the rest is not',
      parameters: [...scope, format, ...parameters],
      success: { status: 200, answer: 'ExportReport', headers: ['X-Catalogue-Revision'] },
      problems: [404, 422, 503],
    },
  ];
}
