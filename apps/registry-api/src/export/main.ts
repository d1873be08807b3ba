import { parseArgs } from 'node:util';
import { randomUUID } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { nearestName } from '#spec/nearest-name.js';
import { compileGlob } from '#domain/glob.js';
import type { ExportFormat, Rendered } from '#exports/export-format.js';
import { exportFormats, findFormat } from '#exports/index.js';
import { EXPORT_PARAMETERS, ExportQuerySchema } from '../http/export-query.js';
import type { ExportQuery } from '../http/export-query.js';
import { readEntries } from './read-entries.js';

const USAGE = `Usage: export FORMAT FILE|URL [--out FILE] [--report FILE] [--strict] [--PARAMETER VALUE...]
       export list

Exports the servers of a catalogue file (format upstream or toolhive), or of a registry at a base URL, as the file of a
client or a policy, with the same text as /registry/{source}/exports/FORMAT.

  --out FILE         output file, written atomically (default: standard output)
  --report FILE      JSON report of the exported servers, and of the omitted ones with reasons
  --strict           exit with 1 if a server is omitted or invalid
  --token-env NAME   variable with a bearer token for URL (default: MCP_REGISTRY_TOKEN)
  --PARAMETER VALUE  ${EXPORT_PARAMETERS.join(', ')} (docs/api.md, Exports)

Exit code: 0 done, 1 omissions with --strict, 2 invalid arguments, 3 unreadable input or a text that fails its check;
an existing file is then left unchanged.
`;

interface Command {
  readonly format: ExportFormat;
  readonly from: string;
  readonly query: ExportQuery;
  readonly out: string | undefined;
  readonly report: string | undefined;
  readonly isStrict: boolean;
  readonly token: string | undefined;
}

/** Runs the command `export`. */
export async function main(args: readonly string[]): Promise<void> {
  const parsed = parseCommandLine(args);
  if (parsed === 'help') return void process.stdout.write(USAGE);
  if (parsed === 'list') return void process.stdout.write(listFormats());
  if (typeof parsed === 'string') {
    process.stderr.write(`error: ${parsed}\n\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  try {
    process.exitCode = await run(parsed);
  } catch (error) {
    const { code, path, message } = error as NodeJS.ErrnoException;
    process.stderr.write(`error: ${code === 'ENOENT' ? `${path}: does not exist` : message}\n`);
    process.exitCode = 3;
  }
}

async function run({ format, from, query, out, report, isStrict, token }: Command): Promise<number> {
  const { entries: view, invalid, registry, changedAtMs } = await readEntries(from, token);
  const globs = query.names.map(compileGlob);
  const entries = view.filter(
    ({ server, status }) =>
      (globs.length === 0 || globs.some((glob) => glob.matches(server.name))) &&
      (query.withDeprecated || status === 'active'),
  );
  const rendered = format.render(entries, { ...query.options, view, registry, changedAtMs });
  demandUsable(format, rendered);
  if (report !== undefined) await replaceFile(report, reportOf(format, rendered));
  if (out === undefined) process.stdout.write(rendered.text);
  else await replaceFile(out, rendered.text);
  const omitted = rendered.results.filter(({ status }) => status === 'omitted');
  for (const { name, reason } of omitted) process.stderr.write(`omitted: ${name}: ${reason}\n`);
  for (const { key, path, message } of invalid)
    process.stderr.write(`invalid: ${[key, path, message].filter(Boolean).join(': ')}\n`);
  return isStrict && omitted.length + invalid.length > 0 ? 1 : 0;
}

function demandUsable(format: ExportFormat, { results }: Rendered): void {
  if (format.emptyBlocksEverything !== null || results.some(({ status }) => status === 'exported')) return;
  throw new Error(`the file would be empty, which ${format.client} treats as no restriction at all`);
}

function reportOf({ id }: ExportFormat, { results, notes }: Rendered): string {
  return `${JSON.stringify({ format: id, notes, entries: results }, undefined, 2)}\n`;
}

/**
 * Replaces a file atomically, so that readers see either the old or the new content. The file is readable by others,
 * because it contains no secrets.
 */
async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await writeFile(temporary, text, { flag: 'wx', flush: true });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

function parseCommandLine(args: readonly string[]): Command | string {
  const text = { type: 'string' } as const;
  const parameters = Object.fromEntries(EXPORT_PARAMETERS.map((name) => [name, text]));
  const options = {
    ...parameters,
    out: text,
    report: text,
    'token-env': text,
    strict: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const given = values as Record<string, string | boolean | undefined>;
    if (given['help']) return 'help';
    const [id = '', from, ...rest] = positionals;
    if (id === 'list' && from === undefined) return 'list';
    const format = findFormat(id);
    if (!format) return `${id === '' ? 'expected a format' : `${id}: unknown format${hint(id)}`}`;
    if (from === undefined || rest.length > 0) return 'name one file or URL to read from';
    const asked = Object.fromEntries(
      EXPORT_PARAMETERS.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])),
    );
    const query = ExportQuerySchema.safeParse(asked);
    if (!query.success)
      return query.error.issues.map(({ path, message }) => `--${path.join('.')} ${message}`).join('; ');
    const variable = (given['token-env'] as string | undefined) ?? 'MCP_REGISTRY_TOKEN';
    return {
      format,
      from,
      query: query.data,
      out: given['out'] as string | undefined,
      report: given['report'] as string | undefined,
      isStrict: given['strict'] === true,
      token: process.env[variable],
    };
  } catch (error) {
    return (error as Error).message;
  }
}

function hint(id: string): string {
  const nearest = nearestName(
    id,
    exportFormats.map((format) => format.id),
  );
  return nearest === undefined ? ': see export list' : `: did you mean ${nearest}?`;
}

function listFormats(): string {
  const width = Math.max(...exportFormats.map(({ id }) => id.length));
  return exportFormats
    .map(({ id, client, file, status }) => `${id.padEnd(width)}   ${file}: ${client} (${status})\n`)
    .join('');
}
