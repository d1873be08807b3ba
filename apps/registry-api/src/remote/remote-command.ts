import { parseArgs } from 'node:util';
import { RegistryError } from '#domain/registry-error.js';
import { RegistryClient } from './registry-client.js';

/** A command that queries a registry. */
export interface RemoteCommand {
  readonly usage: string;
  /** Description of its second argument. */
  readonly subject: string;
  /** Prints the result; returns the exit code, 0 or 1. */
  run(asked: AskedCommand): Promise<number>;
}

export interface AskedCommand {
  readonly client: RegistryClient;
  /** Path of the registry in the API of a registry server. */
  readonly registryPath: string;
  readonly subject: string;
  readonly isJson: boolean;
}

/** Options of every command that queries a registry. */
export const REMOTE_OPTIONS = `  --registry NAME    the registry or view, if URL has several
  --token-env NAME   variable with a bearer token (default: MCP_REGISTRY_TOKEN)
  --json             print the response as JSON
`;

/**
 * Runs a command that queries a registry. The exit code is 2 for an invalid command line and 3 if the registry cannot
 * be queried.
 */
export async function runRemote(command: RemoteCommand, args: readonly string[]): Promise<void> {
  const line = parseCommandLine(command, args);
  if (line === 'help') return void process.stdout.write(command.usage);
  if (typeof line === 'string') return fail(2, `${line}\n\n${command.usage}`);
  try {
    const client = new RegistryClient(line.url, line.token);
    const name = line.registry ?? (await onlyRegistry(client));
    const registryPath = `/v1/registries/${encodeURIComponent(name)}`;
    process.exitCode = await command.run({ client, registryPath, subject: line.subject, isJson: line.isJson });
  } catch (error) {
    if (error instanceof UsageFault) return fail(2, `${error.message}\n`);
    fail(3, `${(error as Error).message}\n`);
  }
}

function fail(code: number, message: string): void {
  process.stderr.write(`error: ${message}`);
  process.exitCode = code;
}

/** Thrown for a command line that turns out to be invalid only when the registry has been queried. */
class UsageFault extends Error {}

interface CommandLine {
  readonly url: string;
  readonly subject: string;
  readonly registry: string | undefined;
  readonly token: string | undefined;
  readonly isJson: boolean;
}

function parseCommandLine({ subject: what }: RemoteCommand, args: readonly string[]): CommandLine | string {
  const text = { type: 'string' } as const;
  const options = {
    registry: text,
    'token-env': text,
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    if (values.help) return 'help';
    const [url, subject, ...rest] = positionals;
    if (url === undefined || subject === undefined || rest.length > 0) return `name a URL and ${what}`;
    if (!/^https?:\/\//.test(url) || !URL.canParse(url)) return `${url}: is not an http(s) URL`;
    const token = process.env[values['token-env'] ?? 'MCP_REGISTRY_TOKEN'];
    return { url, subject, registry: values.registry, token, isJson: values.json === true };
  } catch (error) {
    return (error as Error).message;
  }
}

async function onlyRegistry(client: RegistryClient): Promise<string> {
  const { value } = await client.get('/v1/registries');
  const listed = Array.isArray(value['registries']) ? (value['registries'] as unknown[]) : [];
  const names = listed.flatMap((each) => {
    const { name } = (each ?? {}) as { name?: unknown };
    return typeof name === 'string' ? [name] : [];
  });
  const [name, ...others] = names;
  if (name === undefined) throw new RegistryError('InvalidData', 'the response lists no registry: check the URL');
  if (others.length > 0)
    throw new UsageFault(`there are several registries: add --registry with one of ${names.join(', ')}`);
  return name;
}

/** Removes control characters from a string of a registry, so that it cannot send control sequences to a terminal. */
export function printable(text: unknown): string {
  return String(text).replaceAll(/\p{C}/gu, '?');
}
