import { z } from 'zod';
import { count } from '#domain/zod-wording.js';
import { printable, REMOTE_OPTIONS, runRemote } from './remote-command.js';
import type { AskedCommand } from './remote-command.js';

const USAGE = `Usage: explain URL NAME[@VERSION] [--registry NAME] [--json]

Explains, source by source, why the registry at URL serves a server, or why not.

${REMOTE_OPTIONS}
Exit code: 0 served, 1 not served, 2 invalid arguments, 3 the registry does not respond or rejects the request.
`;

const optional = z.string().optional();

const Explanation = z.object({
  name: z.string(),
  served: z.object({ source: z.string(), latest: z.string(), versions: z.number() }).nullable(),
  sources: z.array(
    z.object({
      source: z.string(),
      verdict: z.string(),
      by: optional,
      versions: z.array(
        z.object({ version: z.string(), verdict: z.string(), by: optional, until: optional, message: optional }),
      ),
    }),
  ),
  near: z.array(z.string()),
});

/** Runs the command `explain`. */
export function main(args: readonly string[]): Promise<void> {
  return runRemote({ usage: USAGE, subject: 'a server, as NAME or NAME@VERSION', run }, args);
}

async function run({ client, registryPath, subject, isJson }: AskedCommand): Promise<number> {
  const [, name = subject, version] = /^([^@]*)@(.*)/s.exec(subject) ?? [];
  const query = new URLSearchParams({ name, ...(version !== undefined && { version }) });
  const { value } = await client.get(`${registryPath}/explain?${query}`);
  const explanation = Explanation.parse(value);
  process.stdout.write(isJson ? `${JSON.stringify(value, undefined, 2)}\n` : describe(explanation, version));
  return isServed(explanation, version) ? 0 : 1;
}

function isServed({ served, sources }: z.output<typeof Explanation>, version: string | undefined): boolean {
  if (version === undefined) return served !== null;
  const winner = sources.find(({ source }) => source === served?.source);
  return winner?.versions.some((each) => each.version === version && each.verdict === 'served') === true;
}

function describe(explanation: z.output<typeof Explanation>, version: string | undefined): string {
  const lines = explanation.sources.flatMap(({ source, verdict, by, versions }) => [
    `  ${source}: ${verdict}${by === undefined ? '' : ` (${by})`}`,
    ...versions.map((each) => {
      const reason = each.message ?? each.by ?? each.until;
      return `    ${each.version || 'unknown version'}: ${each.verdict}${reason === undefined ? '' : ` (${reason})`}`;
    }),
  ]);
  return [summarize(explanation, version), ...lines].map((line) => `${printable(line)}\n`).join('');
}

function summarize(explanation: z.output<typeof Explanation>, version: string | undefined): string {
  const { name, served, near } = explanation;
  if (!served) return `${name} is not served${near.length > 0 ? `: did you mean ${near.join(', ')}?` : ''}`;
  const all = `${served.source}: ${count(served.versions, 'version')}, the latest is ${served.latest}`;
  if (isServed(explanation, version)) return `${name} is served by ${all}`;
  return `${name}@${version} is not served. Other versions are served by ${all}`;
}
