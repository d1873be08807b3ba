import { parseJson } from '#domain/parse-json.js';
import { open } from 'node:fs/promises';
import { z } from 'zod';
import { parseConfigYaml } from '#sources/yaml/config-yaml.js';
import { joinFaults } from '#spec/spec-fault.js';
import { API_LIMITS } from '../limits.js';
import { printable, REMOTE_OPTIONS, runRemote } from './remote-command.js';
import type { AskedCommand } from './remote-command.js';

const USAGE = `Usage: preview URL FILE [--registry NAME] [--json]

Shows what an edit of a registry would add to its lists and remove from them, without changing anything. FILE is an MCPRegistry, or the
spec of one, as YAML or JSON; URL is the running registry. Meant for checks of pull requests.

${REMOTE_OPTIONS}
Exit code: 0 no difference, 1 a difference, 2 invalid arguments, 3 a file that cannot be read, or a registry that does not
respond or rejects the spec.
`;

const SIGNS = { added: '+', removed: '-', changed: '~' } as const;

const count = z.number();

const Preview = z.object({
  counts: z.object({ added: count, removed: count, changed: count, unchanged: count }),
  changes: z.array(
    z.object({
      name: z.string(),
      version: z.string(),
      source: z.string(),
      change: z.enum(['added', 'removed', 'changed']),
      by: z.string(),
    }),
  ),
  unknown: z.array(z.object({ source: z.string(), why: z.string() })),
  truncated: z.boolean(),
});

/** Runs the command `preview`. */
export function main(args: readonly string[]): Promise<void> {
  return runRemote({ usage: USAGE, subject: 'a file', run }, args);
}

async function run({ client, registryPath, subject, isJson }: AskedCommand): Promise<number> {
  const body = toJson(subject, await readBounded(subject));
  const { value } = await client.post(`${registryPath}/preview`, { body, type: 'application/json' });
  const preview = Preview.parse(value);
  process.stdout.write(isJson ? `${JSON.stringify(value, undefined, 2)}\n` : describe(preview));
  const { added, removed, changed } = preview.counts;
  return added + removed + changed + preview.unknown.length > 0 ? 1 : 0;
}

/** Reads a file. Throws if it is larger than the registry accepts. */
async function readBounded(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(API_LIMITS.previewBytes + 1));
    if (bytesRead <= API_LIMITS.previewBytes) return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
  throw new Error(`${path}: has more than ${API_LIMITS.previewBytes} bytes`);
}

/** Converts YAML to JSON before it is sent. YAML takes much longer to parse, so a registry accepts less of it. */
function toJson(path: string, text: string): string {
  if (parseJson(text) !== undefined) return text;
  const read = parseConfigYaml(text);
  if (!('faults' in read)) return JSON.stringify(read.content);
  throw new Error(`${path}: ${joinFaults(read.faults.map(({ line, message }) => `line ${line} ${message}`))}`);
}

function describe({ counts, changes, unknown, truncated }: z.output<typeof Preview>): string {
  const { added, removed, changed, unchanged } = counts;
  return [
    `+${added} -${removed} ~${changed} (${unchanged} unchanged)`,
    ...changes.map(({ name, version, source, change, by }) => `${SIGNS[change]} ${name}@${version} (${source}): ${by}`),
    ...(truncated ? ['there are more changes than are listed'] : []),
    ...unknown.map(({ source, why }) => `? ${source}: ${why}`),
  ]
    .map((line) => `${printable(line)}\n`)
    .join('');
}
