import { z } from 'zod';
import { memoizedCalls, renderEntry } from '../client-file.js';
import type { ClientFile } from '../client-file.js';
import { EntryFaults } from '../entry-faults.js';
import { defineExport } from '../export-format.js';
import type { EntryResult } from '../entry-result.js';
import type { ExportFormat } from '../export-format.js';
import type { ExportOptions } from '../export-options.js';
import type { VisibleEntry } from '../visible-entry.js';
import { byText, toEntryResult } from '../ways.js';
import { writeAsciiJson, writeCompactJson, writeJsonLines } from '../write/json.js';
import { codexFile } from './codex.export.js';
import { cursorFile } from './cursor.export.js';
import { lmStudioFile } from './lmstudio.export.js';
import { mcpJsonFile } from './mcp-json.export.js';
import { checkJson } from './mcp-servers.js';
import { vscodeFile } from './vscode.export.js';

const MAX_LINK = 2000;

/** The configuration of one server in the file of each client; absent for a client whose file cannot express it. */
type Configurations = ReturnType<typeof configurations>;

function configurations(entry: VisibleEntry, options: ExportOptions) {
  const calls = memoizedCalls();
  const { result, server: claude } = renderEntry(entry, options, mcpJsonFile, calls);
  const held = <Server>(file: ClientFile<Server>) => renderEntry(entry, options, file, calls).server;
  return {
    result,
    claude,
    vscode: held(vscodeFile),
    cursor: held(cursorFile),
    lmstudio: held(lmStudioFile),
    codex: held(codexFile),
  };
}

/** Returns the base64 of a text, or undefined if the text alone is already longer than the maximum length of a link. */
function base64(configuration: object): string | undefined {
  const text = writeAsciiJson(configuration);
  return text.length > MAX_LINK ? undefined : btoa(text);
}

/**
 * Returns the query of a VS Code link. Percent signs are encoded twice, because VS Code's handler decodes a query that
 * has already been decoded.
 */
function vscodeQuery(name: string, configuration: object, inputs: readonly object[]): string {
  const json = writeCompactJson({ name, ...configuration, ...(inputs.length > 0 && { inputs }) });
  return encodeURIComponent(json.replaceAll('%', '%25'));
}

function linksOf(name: string, key: string, all: Configurations): Record<string, string> {
  const links: [string, string | undefined][] = [];
  const { vscode: editor, cursor, lmstudio } = all;
  const named = `name=${encodeURIComponent(key)}`;
  if (editor) {
    const { server, inputs } = editor;
    const query = vscodeQuery(key, server, inputs);
    links.push(['vscode', `vscode:mcp/install?${query}`], ['vscodeInsiders', `vscode-insiders:mcp/install?${query}`]);
    const web = () => `https://vscode.dev/redirect/mcp/install?${named}&config=${encoded(server)}`;
    links.push(['vscodeWeb', inputs.length === 0 ? web() : undefined]);
  }
  const withConfig = (address: string, configuration: object | undefined) => {
    const config = configuration && base64(configuration);
    return config && `${address}?${named}&config=${encodeURIComponent(config)}`;
  };
  links.push(['cursor', withConfig('cursor://anysphere.cursor-deeplink/mcp/install', cursor)]);
  links.push(['lmstudio', withConfig('lmstudio://add_mcp', lmstudio)]);
  links.push(['windsurf', `windsurf://windsurf-mcp-registry?serverName=${encodeURIComponent(name)}`]);
  return Object.fromEntries(
    links.filter((each): each is [string, string] => (each[1]?.length ?? Infinity) <= MAX_LINK),
  );
}

const encoded = (configuration: object): string => encodeURIComponent(writeCompactJson(configuration));

function commandsOf(key: string, { claude, codex }: Configurations): Record<string, string[]> {
  const added = codex && codexArguments(codex);
  return {
    ...(claude && { claude: ['claude', 'mcp', 'add-json', key, writeCompactJson(claude)] }),
    ...(added && { codex: ['codex', 'mcp', 'add', key, ...added] }),
  };
}

/**
 * Returns the arguments of the command that adds a server to Codex. Undefined if the command has no option for a part
 * of the configuration, such as headers.
 */
function codexArguments(server: object): string[] | undefined {
  const { command, args = [], env = {}, url, bearer_token_env_var: token, ...rest } = server as CodexCommand;
  if (Object.keys(rest).length > 0) return undefined;
  const variables = Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
  if (command !== undefined) return [...variables, '--', command, ...args];
  return ['--url', url ?? '', ...(token === undefined ? [] : ['--bearer-token-env-var', token])];
}

interface CodexCommand {
  readonly command?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly url?: string;
  readonly bearer_token_env_var?: string;
}

const link = (beginning: string) => z.string().max(MAX_LINK).startsWith(beginning).optional();
const words = z.array(z.string()).min(1);

/**
 * Install links that a console shows for each server. Links end up in browser and shell histories, so they contain no
 * secrets.
 */
export const installLinks: ExportFormat = defineExport({
  id: 'install-links',
  file: 'install-links.json',
  mediaType: 'application/json',
  purpose: 'client',
  client: 'the console',
  status: 'stable',
  verified: '2026-11-30',
  wherePut: 'Nowhere: web pages read it to show an install button for each server.',
  emptyBlocksEverything: false,
  render(entries, options) {
    const faults = new EntryFaults();
    const listed: object[] = [];
    const results = entries.toSorted(byText(({ server }) => server.name)).map((entry): EntryResult => {
      const { server, shortName = '' } = entry;
      const rendered = faults.guard(entry, () => {
        const all = configurations(entry, options);
        return { all, links: linksOf(server.name, shortName, all), commands: commandsOf(shortName, all) };
      });
      if (!rendered) return toEntryResult(entry, [], { reason: 'internal' });
      const { all, ...offered } = rendered;
      if (all.result.reason !== 'internal') listed.push({ name: server.name, shortName, ...offered });
      return all.result;
    });
    return { text: writeJsonLines({ entries: listed }, 2), results, notes: [], faults: faults.all };
  },
  check: checkJson(
    z.strictObject({
      entries: z.array(
        z.strictObject({
          name: z.string(),
          shortName: z.string(),
          links: z.strictObject({
            vscode: link('vscode:mcp/install?'),
            vscodeInsiders: link('vscode-insiders:mcp/install?'),
            vscodeWeb: link('https://vscode.dev/'),
            cursor: link('cursor://'),
            lmstudio: link('lmstudio://'),
            windsurf: link('windsurf://'),
          }),
          commands: z.strictObject({ claude: words.optional(), codex: words.optional() }),
        }),
      ),
    }),
  ),
});
