import { RegistryError } from '#domain/registry-error.js';
import type { FileFormat } from './layouts.js';

/** Names from the beginning of a file what it is, when that is no UTF-8 text; undefined when it may be. */
export function recognizeBinary(head: Buffer): string | undefined {
  const [first, second] = head;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff) || first === 0 || second === 0) {
    return 'is UTF-16 or UTF-32 text: save it as UTF-8';
  }
  if (first === 0x1f && second === 0x8b) return 'is compressed with gzip: store it unpacked';
  if (first === 0x50 && second === 0x4b) return 'is a ZIP archive: store the file itself';
  return undefined;
}

/** Names from the beginning of a file what it is, when that cannot be JSON in UTF-8; undefined when it may be. */
export function recognizeOther(head: Buffer): string | undefined {
  if (head.length === 0) return 'is empty';
  const binary = recognizeBinary(head);
  if (binary !== undefined) return binary;
  const text = head
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart();
  if (text === '') return 'holds nothing but blanks';
  if (text.startsWith('version https://git-lfs')) {
    return 'is a pointer of Git LFS, not the data: store the file in the repository itself';
  }
  if (text.startsWith('<')) return 'is an HTML or XML page, as a login or error page would be: check the address';
  if (isToml(text)) return 'looks like TOML: convert it to JSON';
  if (/^(---|%YAML|#|[A-Za-z_$][\w$-]*\s*:(\s|$))/.test(text)) return 'looks like YAML: convert it to JSON';
  return undefined;
}

/** Whether the first line that is no comment is the header of a TOML table or a TOML assignment, which JSON and YAML do not have. */
function isToml(text: string): boolean {
  const lines = text.split(/\r?\n/, MAX_COMMENTS).map((line) => line.trim());
  const first = lines.find((line) => line !== '' && !line.startsWith('#')) ?? '';
  return TOML_ASSIGNMENT.test(first) || (TOML_HEADER.test(first) && !JSON_LIST.test(first));
}

const MAX_COMMENTS = 1_000;
const TOML_ASSIGNMENT = /^([\w-]+|"[^"]*"|'[^']*')(\s*\.\s*([\w-]+|"[^"]*"|'[^']*'))*\s*=(?!=)/;
const TOML_HEADER = /^\[\[?\s*[A-Za-z_][\w-]*(\s*\.\s*([\w-]+|"[^"]*"|'[^']*'))*\s*\]\]?\s*(#.*)?$/;
const JSON_LIST = /^\[\[?\s*(true|false|null)\s*\]/;

/** What the top of a JSON document shows: the first character of each member's value. */
export type Outline = ReadonlyMap<string, string>;

/** Says what a document looks like that lacks the shape of its format. */
export function mismatch(expected: FileFormat, file: string, outline: Outline, missing: string): RegistryError {
  const looks = looksLike(outline);
  if (looks === undefined || looks === expected) {
    return new RegistryError('InvalidData', `${file} is not a catalogue in format ${expected}: ${missing}.`);
  }
  const remedy =
    looks === 'toolhive' || looks === 'upstream'
      ? `it looks like format ${looks}: set format: ${looks}`
      : `it looks like ${looks}`;
  return new RegistryError('FormatMismatch', `${file} is not in format ${expected} (${missing}); ${remedy}.`);
}

/** Members that the configurations of clients have, and no catalogue. */
const CLIENT_MEMBERS = ['mcpServers', 'mcp', 'context_servers', 'inputs', 'mcp_servers'];

function looksLike(outline: Outline): string | undefined {
  const is = (member: string, opener: string) => outline.get(member) === opener;
  if (is('data', '{')) return 'upstream';
  if (is('servers', '[')) {
    return "an answer of a registry's API: use a source of type api, or store data.servers in format upstream";
  }
  const client = CLIENT_MEMBERS.find((member) => outline.has(member));
  if (client) return `a client's configuration (${client}), not a catalogue`;
  if (is('servers', '{') || is('remote_servers', '{')) return 'toolhive';
  if (outline.has('server') || (outline.has('name') && outline.has('description'))) {
    return 'a single server: put it into a catalogue';
  }
  if (outline.has('apiVersion') && outline.has('kind')) return 'a Kubernetes manifest';
  return undefined;
}
