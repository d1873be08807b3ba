import { RegistryError } from '#domain/registry-error.js';
import { isFields } from '#domain/fields.js';
import { JsonCutter } from './json-cutter.js';
import type { Container } from './json-cutter.js';
import type { FileFormat } from './layouts.js';

/** Describes what a file is, based on its beginning, if it is not UTF-8 text. Returns undefined if it may be. */
export function recognizeBinary(head: Buffer): string | undefined {
  const [first, second] = head;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff) || first === 0 || second === 0) {
    return 'is UTF-16 or UTF-32 text: save it as UTF-8';
  }
  if (first === 0x1f && second === 0x8b) return 'is compressed with gzip: store it unpacked';
  if (first === 0x50 && second === 0x4b) return 'is a ZIP archive: store the file itself';
  return undefined;
}

/** Describes what a file is, based on its beginning, if it cannot be JSON in UTF-8. Returns undefined if it may be. */
export function recognizeOther(head: Buffer): string | undefined {
  if (head.length === 0) return 'is empty';
  const binary = recognizeBinary(head);
  if (binary !== undefined) return binary;
  const text = head
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart();
  if (text === '') return 'contains only white space';
  if (text.startsWith('version https://git-lfs')) {
    return 'is a pointer of Git LFS, not the data: store the file in the repository itself';
  }
  if (text.startsWith('<')) return 'is an HTML or XML page, such as a login or error page: check the URL';
  if (isToml(text)) return 'looks like TOML: convert it to JSON';
  if (/^(---|%YAML|#|[A-Za-z_$][\w$-]*\s*:(\s|$))/.test(text)) return 'looks like YAML: convert it to JSON';
  return undefined;
}

/**
 * Returns whether the first line that is not a comment is the header of a TOML table or a TOML assignment, which do not
 * exist in JSON and YAML.
 */
function isToml(text: string): boolean {
  const lines = text.split(/\r?\n/, MAX_COMMENTS).map((line) => line.trim());
  const first = lines.find((line) => line !== '' && !line.startsWith('#')) ?? '';
  return TOML_ASSIGNMENT.test(first) || (TOML_HEADER.test(first) && !JSON_LIST.test(first));
}

const MAX_COMMENTS = 1_000;
const TOML_ASSIGNMENT = /^([\w-]+|"[^"]*"|'[^']*')(\s*\.\s*([\w-]+|"[^"]*"|'[^']*'))*\s*=(?!=)/;
const TOML_HEADER = /^\[\[?\s*[A-Za-z_][\w-]*(\s*\.\s*([\w-]+|"[^"]*"|'[^']*'))*\s*\]\]?\s*(#.*)?$/;
const JSON_LIST = /^\[\[?\s*(true|false|null)\s*\]/;

/** Maps each top-level member of a JSON document to the first character of its value, which tells its type. */
export type Outline = ReadonlyMap<string, string>;

/** Returns an error that says what a document looks like if it does not have the shape of its format. */
export function mismatch(
  expected: FileFormat,
  file: string,
  { outline, head, missing }: { readonly outline: Outline; readonly head: Buffer; readonly missing: string },
): RegistryError {
  const looks = looksLike(outline, head);
  if (looks === undefined || looks === expected) {
    return new RegistryError('InvalidData', `${file} is not a catalogue in format ${expected}: ${missing}.`);
  }
  const remedy =
    looks === 'toolhive' || looks === 'upstream'
      ? `it looks like format ${looks}: set format: ${looks}`
      : `it looks like ${looks}`;
  return new RegistryError('FormatMismatch', `${file} is not in format ${expected} (${missing}); ${remedy}.`);
}

/** Members of client configurations that no catalogue has. */
const CLIENT_MEMBERS = ['mcpServers', 'mcp', 'context_servers', 'inputs', 'mcp_servers'];

const CONFIGURED: Container = { name: 'servers', opener: '{', holdsEntries: true };
const ROOT: Container = { name: '', opener: '{', inside: (key) => (key === 'servers' ? CONFIGURED : undefined) };

/**
 * Returns whether the first of `servers` says how a client starts or reaches it, so that the file is a client
 * configuration. In a ToolHive catalogue, it has an image, so the file is not a configuration, whatever else is
 * missing.
 */
function configuresClient(head: Buffer): boolean {
  try {
    const cutter = new JsonCutter(ROOT, { maxValueBytes: head.length, maxDepth: 64 });
    const first = cutter.push(head).find(({ container }) => container === CONFIGURED);
    const value: unknown = JSON.parse(Buffer.from(first?.bytes ?? []).toString());
    return isFields(value) && !('image' in value) && ['command', 'url', 'httpUrl'].some((name) => name in value);
  } catch {
    return false;
  }
}

function looksLike(outline: Outline, head: Buffer): string | undefined {
  const is = (member: string, opener: string) => outline.get(member) === opener;
  if (is('data', '{')) return 'upstream';
  if (is('servers', '[')) {
    return 'a response of a registry API: use a source of type api, or convert it to format upstream, with the servers in data.servers';
  }
  const client = CLIENT_MEMBERS.find((member) => outline.has(member));
  if (client) return `a client's configuration (${client}), not a catalogue`;
  if (configuresClient(head)) return "a client's configuration (servers), not a catalogue";
  if (is('servers', '{') || is('remote_servers', '{')) return 'toolhive';
  if (is('plugins', '[')) return 'a marketplace of plugins, not a catalogue of servers';
  if (is('registry', '{')) return "a catalogue of Docker's MCP toolkit: convert it to format toolhive";
  if (outline.has('server') || (outline.has('name') && outline.has('description'))) {
    return 'a single server: put it into a catalogue';
  }
  if (outline.has('apiVersion') && outline.has('kind')) return 'a Kubernetes manifest';
  return undefined;
}
