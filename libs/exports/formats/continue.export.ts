import { z } from 'zod';
import { present, renderClientFile } from '../client-file.js';
import type { ClientFile } from '../client-file.js';
import { defineExport } from '../export-format.js';
import { readYaml, writeYaml } from '../write/yaml.js';
import { EVERY_PLACE } from './mcp-servers.js';

const texts = z.record(z.string(), z.string());
const name = z.string().min(1);
const stdio = z.strictObject({
  name,
  type: z.literal('stdio'),
  command: z.string().min(1),
  args: z.array(z.string()).optional(),
  env: texts.optional(),
});
const remote = z.strictObject({
  name,
  type: z.enum(['sse', 'streamable-http']),
  url: z.string().min(1),
  requestOptions: z.strictObject({ headers: texts }).optional(),
});

type ContinueServer = Omit<z.infer<typeof stdio>, 'name'> | Omit<z.infer<typeof remote>, 'name'>;

const file: ClientFile<ContinueServer> = {
  syntax: {
    expands: /\{\{|\$\{/,
    inputPlaces: EVERY_PLACE,
    placeholder: (placeholder) => `\${{ secrets.${placeholder} }}`,
  },
  stdio: ({ command, args, env }, { writer }) => ({
    type: 'stdio',
    command,
    ...present({ args: writer.list(args), env: writer.map(env, 'env') }),
  }),
  remote({ transport, url, headers }, { writer }) {
    const written = writer.map(headers, 'headers');
    return {
      type: transport === 'sse' ? 'sse' : 'streamable-http',
      url: writer.write(url, 'url') as string,
      ...(Object.keys(written).length > 0 && { requestOptions: { headers: written } }),
    };
  },
  write: (servers, { registry }) =>
    writeYaml({
      name: registry,
      version: '1.0.0',
      schema: 'v1',
      mcpServers: servers.map(({ key, server }) => ({ name: key, ...server })),
    }),
};

export const continueDev = defineExport({
  id: 'continue',
  file: 'mcp.yaml',
  mediaType: 'application/yaml',
  purpose: 'client',
  client: 'Continue',
  status: 'preview',
  verified: '2026-11-30',
  wherePut: 'The folder .continue/mcpServers of a project.',
  emptyBlocksEverything: false,
  render: (entries, options, check) => renderClientFile(entries, options, file, check),
  check: (text) =>
    void z
      .strictObject({
        name: z.string().min(1),
        version: z.literal('1.0.0'),
        schema: z.literal('v1'),
        mcpServers: z.array(z.union([stdio, remote])),
      })
      .parse(readYaml(text)),
});
