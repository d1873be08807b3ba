import { parseArgs } from 'node:util';
import type { FileFormat } from '#sources/formats/layouts.js';
import { SOURCE_FORMATS } from '#domain/source-format.js';
import { formatDocumentFault } from '../documents/document-fault.js';
import { validateFiles } from './validate-files.js';
import type { Validation } from './validate-files.js';

const USAGE = `Usage: npm run validate -- [--json] [--format FORMAT] [--folder PATH]... [FILE_OR_DIR...]

Checks MCPRegistry manifests and catalogue files by the rules of the server, without network or cluster.
Prints FILE:LINE: FIELD: what is wrong and what to do.

  --json            print one JSON object: {"files", "findings": [{"severity", "file", "line", "field", "message"}]}
  --format FORMAT   the format of catalogue files (${SOURCE_FORMATS.join(', ')}); recognized by default
  --folder PATH     a folder, or a quoted pattern such as 'servers/*/server.json', of files with one server each
  --help            this text

Exit code: 0 without errors, 1 with errors, 2 when the command line is wrong.
`;

const OPTIONS = {
  json: { type: 'boolean' },
  format: { type: 'string' },
  folder: { type: 'string', multiple: true },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Runs the command `validate`. */
export async function main(args: readonly string[]): Promise<void> {
  const parsed = parseCommandLine(args);
  if ('help' in parsed) return void process.stdout.write(USAGE);
  if ('fault' in parsed) {
    process.stderr.write(`error: ${parsed.fault}\n\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  const validation = await validateFiles(parsed.paths, parsed.format, parsed.folders);
  if (parsed.json) process.stdout.write(`${JSON.stringify(validation)}\n`);
  else printLines(validation);
  if (validation.findings.some(({ severity }) => severity === 'error')) process.exitCode = 1;
}

type CommandLine =
  { help: true } | { fault: string } | { paths: string[]; folders: string[]; format?: FileFormat; json: boolean };

function parseCommandLine(args: readonly string[]): CommandLine {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    const { help, format, folder: folders = [], json = false } = values;
    if (help) return { help };
    if (positionals.length + folders.length === 0) return { fault: 'a file or directory is missing' };
    if (positionals.includes('-')) return { fault: '-: standard input is not read; give a file' };
    if (format === undefined) return { paths: positionals, folders, json };
    const known = SOURCE_FORMATS.find((each) => each === format);
    if (!known) return { fault: `--format ${format}: must be one of ${SOURCE_FORMATS.join(', ')}` };
    return { paths: positionals, folders, format: known, json };
  } catch (error) {
    return { fault: (error as Error).message };
  }
}

function printLines({ files, findings }: Validation): void {
  for (const finding of findings) process.stdout.write(`${finding.severity}: ${formatDocumentFault(finding)}\n`);
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const notes = findings.length - errors;
  process.stdout.write(`${count(files, 'file')}, ${count(errors, 'error')}, ${count(notes, 'note')}\n`);
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
