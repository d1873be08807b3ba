import { parse } from 'smol-toml';
import { z } from 'zod';
import { renderClientFile } from '../client-file.js';
import { defineExport } from '../export-format.js';
import type { ExportFormat, Rendered } from '../export-format.js';
import type { ExportOptions } from '../export-options.js';
import type { VisibleEntry } from '../visible-entry.js';
import { byText } from '../ways.js';
import { writeCompactJson, writeJson } from '../write/json.js';
import { codex } from './codex.export.js';
import { cursor, cursorFile } from './cursor.export.js';
import { lmStudio, lmStudioFile } from './lmstudio.export.js';
import { mcpJson } from './mcp-json.export.js';
import { checkJson } from './mcp-servers.js';
import { vscode } from './vscode.export.js';

const MAX_LINK = 2000;

type Servers = Readonly<Record<string, Record<string, unknown>>>;

/** What the clients' own formats hold of each server, by short name. */
interface Configurations {
  readonly vscode: Servers;
  readonly vscodeInputs: readonly { readonly id: string }[];
  readonly cursor: Servers;
  readonly lmstudio: Servers;
  readonly mcpJson: Servers;
  readonly codex: Servers;
}

function configurations(entries: readonly VisibleEntry[], options: ExportOptions): Configurations {
  const read = <T>({ text }: Pick<Rendered, 'text'>): T => JSON.parse(text) as T;
  const editor = read<{ inputs: { id: string }[]; servers: Servers }>(vscode.render(entries, options));
  const servers = (rendered: Rendered) => read<{ mcpServers: Servers }>(rendered).mcpServers;
  return {
    vscode: editor.servers,
    vscodeInputs: editor.inputs,
    cursor: servers(renderClientFile(entries, options, cursorFile, cursor.check)),
    lmstudio: servers(renderClientFile(entries, options, lmStudioFile, lmStudio.check)),
    mcpJson: servers(mcpJson.render(entries, options)),
    codex: (parse(codex.render(entries, options).text)['mcp_servers'] ?? {}) as Servers,
  };
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

/** VS Code's handler decodes a query that is decoded already. */
function vscodeQuery(name: string, configuration: object, inputs: readonly object[]): string {
  const json = writeCompactJson({ name, ...configuration, ...(inputs.length > 0 && { inputs }) });
  return encodeURIComponent(json.replaceAll('%', '%25'));
}

function linksOf(name: string, key: string, all: Configurations): Record<string, string> {
  const { vscode: editor, cursor, lmstudio } = all;
  const links: [string, string | undefined][] = [];
  const inputs = all.vscodeInputs.filter(({ id }) => id.startsWith(`${key}.`));
  const inEditor = editor[key];
  if (inEditor) {
    const query = vscodeQuery(key, inEditor, inputs);
    const config = encodeURIComponent(writeCompactJson(inEditor));
    links.push(['vscode', `vscode:mcp/install?${query}`], ['vscodeInsiders', `vscode-insiders:mcp/install?${query}`]);
    const web = `https://vscode.dev/redirect/mcp/install?name=${encodeURIComponent(key)}&config=${config}`;
    links.push(['vscodeWeb', inputs.length === 0 ? web : undefined]);
  }
  const encoded = (configuration: object) => encodeURIComponent(base64(writeCompactJson(configuration)));
  const named = `name=${encodeURIComponent(key)}`;
  if (cursor[key]) {
    links.push(['cursor', `cursor://anysphere.cursor-deeplink/mcp/install?${named}&config=${encoded(cursor[key])}`]);
  }
  if (lmstudio[key]) links.push(['lmstudio', `lmstudio://add_mcp?${named}&config=${encoded(lmstudio[key])}`]);
  links.push(['windsurf', `windsurf://windsurf-mcp-registry?serverName=${encodeURIComponent(name)}`]);
  return Object.fromEntries(
    links.filter((each): each is [string, string] => (each[1]?.length ?? Infinity) <= MAX_LINK),
  );
}

function commandsOf(key: string, { mcpJson: claude, codex: servers }: Configurations): Record<string, string[]> {
  const own = servers[key] as { command?: string; args?: string[]; url?: string } | undefined;
  const added = own?.command === undefined ? ['--url', own?.url ?? ''] : ['--', own.command, ...(own.args ?? [])];
  return {
    ...(claude[key] && { claude: ['claude', 'mcp', 'add-json', key, writeCompactJson(claude[key])] }),
    ...(own && { codex: ['codex', 'mcp', 'add', key, ...added] }),
  };
}

const SCHEMES =
  /^(vscode:mcp\/install\?|vscode-insiders:mcp\/install\?|https:\/\/vscode\.dev\/|cursor:\/\/|lmstudio:\/\/|windsurf:\/\/)/;

/** What a console shows for each server. Links land in histories: no secret is in them. */
export const installLinks: ExportFormat = defineExport({
  id: 'install-links',
  file: 'install-links.json',
  mediaType: 'application/json',
  purpose: 'client',
  client: 'the console',
  status: 'stable',
  verified: '2026-11-30',
  wherePut: 'Nowhere: it is for pages that offer a button.',
  emptyBlocksEverything: false,
  render(entries, options) {
    const all = configurations(entries, options);
    const sorted = entries.toSorted(byText(({ server }) => server.name));
    const known = sorted.filter(({ shortName }) => shortName !== undefined);
    const text = writeJson({
      entries: known.map(({ server, shortName = '' }) => ({
        name: server.name,
        shortName,
        links: linksOf(server.name, shortName, all),
        commands: commandsOf(shortName, all),
      })),
    });
    const { results, faults } = mcpJson.render(entries, options);
    return { text, results, notes: [], faults };
  },
  check: checkJson(
    z.strictObject({
      entries: z.array(
        z.strictObject({
          name: z.string(),
          shortName: z.string(),
          links: z.record(z.string(), z.string().max(MAX_LINK).regex(SCHEMES)),
          commands: z.record(z.string(), z.array(z.string()).min(1)),
        }),
      ),
    }),
  ),
});
