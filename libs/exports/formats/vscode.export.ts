import { z } from 'zod';
import { cut, toPlainLine } from '../characters.js';
import { renderClientFile } from '../client-file.js';
import type { ClientFile, ValueWriter } from '../client-file.js';
import { defineExport } from '../export-format.js';
import { writeJson } from '../write/json.js';
import { checkJson, EVERY_PLACE, mcpServersFile, remoteServer, serversByKey, stdioServer } from './mcp-servers.js';
import type { McpServer } from './mcp-servers.js';

const MAX_DESCRIPTION = 200;

/** An element of `inputs`. VS Code prompts the user for its value when a server first needs it. */
export interface PromptedInput {
  readonly type: 'promptString' | 'pickString';
  readonly id: string;
  readonly description: string;
  readonly options?: readonly string[];
  readonly default?: string;
  readonly password?: true;
}

export interface VscodeServer {
  readonly server: McpServer;
  readonly inputs: readonly PromptedInput[];
}

const servers = mcpServersFile({
  isTyped: true,
  syntax: {
    inputPlaces: EVERY_PLACE,
    asksForChoices: true,
    isScoped: true,
    placeholder: (name, key) => `\${input:${key}.${name}}`,
  },
});

/** A configuration file of VS Code: servers, and the inputs that they refer to. */
export const vscodeFile: ClientFile<VscodeServer> = {
  syntax: servers.syntax,
  stdio: (launch, context) => withInputs(servers.stdio!(launch, context), context),
  remote: (call, context) => withInputs(servers.remote!(call, context), context),
  write: (list) =>
    writeJson({
      inputs: list.flatMap(({ server }) => server.inputs),
      servers: Object.fromEntries(list.map(({ key, server: { server } }) => [key, server])),
    }),
};

function withInputs(server: McpServer, { key, writer }: { key: string; writer: ValueWriter }): VscodeServer {
  return { server, inputs: writer.inputs.map(({ name, input }) => toPrompt(`${key}.${name}`, input)) };
}

function toPrompt(id: string, input: ValueWriter['inputs'][number]['input']): PromptedInput {
  const { description = '', isSecret, choices, default: proposed } = input;
  const line = cut(toPlainLine(description), MAX_DESCRIPTION) || id;
  const value = proposed === undefined ? {} : { default: proposed };
  if (choices) return { type: 'pickString', id, description: line, options: choices, ...value };
  return { type: 'promptString', id, description: line, ...value, ...(isSecret && { password: true as const }) };
}

const inputSchema = z.union([
  z.strictObject({
    type: z.literal('promptString'),
    id: z.string().min(1),
    description: z.string().min(1).max(MAX_DESCRIPTION),
    default: z.string().optional(),
    password: z.literal(true).optional(),
  }),
  z.strictObject({
    type: z.literal('pickString'),
    id: z.string().min(1),
    description: z.string().min(1).max(MAX_DESCRIPTION),
    options: z.array(z.string()).min(1),
    default: z.string().optional(),
  }),
]);

export const vscode = defineExport({
  id: 'vscode',
  file: 'mcp.json',
  mediaType: 'application/json',
  purpose: 'client',
  client: 'VS Code',
  status: 'stable',
  verified: '2026-11-30',
  wherePut: 'The folder .vscode of a project; VS Code asks for the inputs and keeps secrets itself.',
  emptyBlocksEverything: false,
  render: (entries, options, check) => renderClientFile(entries, options, vscodeFile, check),
  check: checkJson(
    z.strictObject({
      inputs: z.array(inputSchema),
      servers: serversByKey(
        z.union([stdioServer({ type: z.literal('stdio') }), remoteServer({ type: z.enum(['http', 'sse']) })]),
      ),
    }),
  ),
});
