import { z } from 'zod';
import { renderClientFile } from '../client-file.js';
import type { ClientFile, WayContext } from '../client-file.js';
import { defineExport } from '../export-format.js';
import { inputsOf } from '../inputs.js';
import type { Value } from '../inputs.js';
import type { Launch } from '../launch/launch.js';
import { Omitted } from '../omission.js';
import { PlaceholderNames } from '../placeholder-names.js';
import type { RemoteCall } from '../remotes.js';
import { writeToml } from '../write/toml.js';
import type { TomlValue } from '../write/toml.js';
import { checkToml } from './read-toml.js';

type CodexServer = Record<string, TomlValue>;

/**
 * Codex replaces no placeholders. It passes on environment variables of the same name, and reads headers from
 * variables.
 */
export const codexFile: ClientFile<CodexServer> = {
  syntax: { inputPlaces: new Set(), placeholder: (name) => name },
  refuse: (way) => (way.kind === 'remote' && way.remote.type === 'sse' ? 'transport-unsupported' : undefined),
  stdio: ({ command, args, env }, context) => ({
    command,
    ...(args.length > 0 && { args: context.writer.list(args) }),
    ...environment(env, context),
  }),
  remote: ({ url, headers }, context) => ({
    url: context.writer.write(url, 'url') as string,
    ...headerFields(headers, context),
  }),
  write: (servers) => writeToml({ mcp_servers: Object.fromEntries(servers.map(({ key, server }) => [key, server])) }),
};

function environment(env: Launch['env'], { options, notes, writer }: WayContext): CodexServer {
  const fixed = env.flatMap(({ name, value }): [string, string][] => {
    const text = writer.fixed(value, 'env');
    return text === undefined ? [] : [[name, text]];
  });
  const asked = env.filter(({ value }) => writer.fixed(value, 'env') === undefined);
  const forwarded = asked.filter(({ name, value }) => options.env === 'plain' && isWhole(value, name));
  if (forwarded.length < asked.length) notes.add('user-must-add');
  return {
    ...(fixed.length > 0 && { env: Object.fromEntries(fixed) }),
    ...(forwarded.length > 0 && { env_vars: forwarded.map(({ name }) => name) }),
  };
}

function isWhole(value: Value, name: string): boolean {
  const [only] = value;
  return value.length === 1 && typeof only === 'object' && only.name === name;
}

function headerFields(headers: RemoteCall['headers'], { options, key, writer }: WayContext): CodexServer {
  const names = new PlaceholderNames(key, options.env);
  const fixed = new Map<string, string>();
  const fromVariables = new Map<string, string>();
  let bearer: string | undefined;
  for (const { name, value } of headers) {
    const text = writer.fixed(value, 'headers');
    const [input] = inputsOf(value);
    if (text !== undefined) fixed.set(name, text);
    else if (value.length === 1 && input) fromVariables.set(name, names.nameOf(input));
    else if (isBearer(name, value) && input) bearer = names.nameOf(input);
    else throw new Omitted('needs-input', `the header ${name} is composed of more than one value`);
  }
  return {
    ...(bearer !== undefined && { bearer_token_env_var: bearer }),
    ...(fixed.size > 0 && { http_headers: Object.fromEntries(fixed) }),
    ...(fromVariables.size > 0 && { env_http_headers: Object.fromEntries(fromVariables) }),
  };
}

function isBearer(name: string, value: Value): boolean {
  return name.toLowerCase() === 'authorization' && value.length === 2 && value[0] === 'Bearer ';
}

const texts = z.record(z.string(), z.string());

/** The schema of the file. Codex rejects the whole file if it has an unknown key (its source, mid-2026). */
const codexSchema = z.strictObject({
  mcp_servers: z
    .record(
      z.string().regex(/^[a-zA-Z0-9_-]+$/),
      z.union([
        z.strictObject({
          command: z.string().min(1),
          args: z.array(z.string()).optional(),
          env: texts.optional(),
          env_vars: z.array(z.string()).optional(),
        }),
        z.strictObject({
          url: z.string().regex(/^https?:\/\//),
          bearer_token_env_var: z.string().optional(),
          http_headers: texts.optional(),
          env_http_headers: texts.optional(),
        }),
      ]),
    )
    .optional(),
});

export const codex = defineExport({
  id: 'codex',
  file: 'config.toml',
  mediaType: 'application/toml',
  purpose: 'client',
  client: 'Codex',
  status: 'stable',
  verified: '2026-11-30',
  wherePut: 'The folder .codex of the home folder, or of a trusted project.',
  emptyBlocksEverything: false,
  render: (entries, options, check) => renderClientFile(entries, options, codexFile, check),
  check: checkToml(codexSchema),
});
