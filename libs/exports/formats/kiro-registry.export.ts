import { z } from 'zod';
import { cut, toPlainLine } from '../characters.js';
import { renderClientFile } from '../client-file.js';
import type { ClientFile, ValueWriter, WayContext } from '../client-file.js';
import { defineExport } from '../export-format.js';
import type { Value } from '../inputs.js';
import { privateBase, toArguments, toEnvironment } from '../launch/launch.js';
import { imageDigest, imageTag, portableLaunch } from '../launch/portable.js';
import { Omitted } from '../omission.js';
import type { ServerPackage } from '#domain/server-document.js';
import { writeJson } from '../write/json.js';
import { checkJson } from './mcp-servers.js';

const MAX_TEXT = 100;
const MAX_VERSION = 255;

const positional = z.strictObject({ type: z.literal('positional'), value: z.string() });
const named = z.strictObject({ name: z.string().min(1), value: z.string() });

/**
 * One element of the document. A single element that does not match makes the client reject the whole document (AWS
 * registry document, 2026-11-30).
 */
const element = z.strictObject({
  server: z.strictObject({
    name: z
      .string()
      .min(3)
      .max(200)
      .regex(/^[a-zA-Z0-9._-]+$/),
    title: z.string().min(1).max(MAX_TEXT),
    description: z.string().min(1).max(MAX_TEXT),
    version: z.string().min(1).max(MAX_VERSION),
    remotes: z
      .tuple([
        z.strictObject({
          type: z.enum(['streamable-http', 'sse']),
          url: z.string().regex(/^https?:\/\//),
          headers: z.array(named).optional(),
        }),
      ])
      .optional(),
    packages: z
      .tuple([
        z.strictObject({
          registryType: z.enum(['npm', 'pypi', 'oci']),
          identifier: z.string().min(1),
          registryBaseUrl: z.string().optional(),
          transport: z.strictObject({ type: z.literal('stdio') }),
          runtimeArguments: z.array(positional).optional(),
          packageArguments: z.array(positional).optional(),
          environmentVariables: z.array(named.extend({ default: z.string() })).optional(),
        }),
      ])
      .optional(),
  }),
});

type Element = z.infer<typeof element>;

/** Returns the package and the version of the element. The client builds its own command from them. */
function toPackage(
  pack: ServerPackage,
  { notes, writer }: WayContext,
): Pick<Element['server'], 'packages' | 'version'> {
  portableLaunch(pack, notes);
  const { registryType, identifier } = pack;
  if (imageDigest(pack) !== undefined) throw new Omitted('digest-unsupported');
  const tag = registryType === 'oci' ? imageTag(identifier) : undefined;
  const version = tag ?? pack.version;
  if (version === undefined) throw new Omitted('unpinned');
  if (registryType !== 'npm' && registryType !== 'pypi' && registryType !== 'oci') throw new Omitted('no-launcher');
  const env = toEnvironment(pack, notes);
  const fixed = env.flatMap(({ name, value }) => {
    const text = writer.fixed(value, 'env');
    if (text === undefined) notes.add('user-must-add');
    return text === undefined ? [] : [{ name, value: text, default: text }];
  });
  const engine = registryType === 'oci' ? ['-i', '--rm', ...env.flatMap(({ name }) => ['-e', name])] : [];
  const runtime = [...engine, ...toArguments(pack.runtimeArguments, notes).map((value) => toFixed(value, writer))];
  const rest = toArguments(pack.packageArguments, notes).map((value) => toFixed(value, writer));
  const base = privateBase(pack);
  return {
    version,
    packages: [
      {
        registryType,
        identifier: tag === undefined ? identifier : identifier.slice(0, -tag.length - 1),
        ...(base !== undefined && { registryBaseUrl: base }),
        transport: { type: 'stdio' },
        ...(runtime.length > 0 && { runtimeArguments: runtime.map(toPositional) }),
        ...(rest.length > 0 && { packageArguments: rest.map(toPositional) }),
        ...(fixed.length > 0 && { environmentVariables: fixed }),
      },
    ],
  };
}

function toFixed(value: Value, writer: ValueWriter): string {
  const text = writer.fixed(value, 'args');
  if (text === undefined) throw new Omitted('needs-input');
  return text;
}

const toPositional = (value: string) => ({ type: 'positional' as const, value });

const file: ClientFile<Element> = {
  syntax: { inputPlaces: new Set(), leftOutPlaces: new Set(['headers'] as const), placeholder: (name) => name },
  stdio: (_launch, context) => toElement(context, toPackage(context.pack as ServerPackage, context)),
  remote({ transport, url, headers }, context) {
    const written = Object.entries(context.writer.map(headers, 'headers')).map(([name, value]) => ({ name, value }));
    return toElement(context, {
      version: context.entry.server.version,
      remotes: [
        {
          type: transport === 'sse' ? 'sse' : 'streamable-http',
          url: context.writer.write(url, 'url') as string,
          ...(written.length > 0 && { headers: written }),
        },
      ],
    });
  },
  write: (servers) => writeJson({ servers: servers.map(({ server }) => server) }),
};

function toElement({ key, entry, notes }: WayContext, way: Omit<Element['server'], 'name' | 'title' | 'description'>) {
  const { server } = entry;
  const shorten = (text: string) => {
    const short = cut(text, MAX_TEXT);
    if (short !== text) notes.add('shortened');
    return short;
  };
  const title = shorten(toPlainLine(server.title ?? '') || server.name);
  const description = shorten(toPlainLine(server.description ?? '') || title);
  const { version, ...rest } = way;
  const made = element.safeParse({ server: { name: key, title, description, version, ...rest } });
  if (!made.success)
    throw new Omitted('fails-client-schema', made.error.issues[0]?.message ?? 'the result is not an element');
  return made.data;
}

export const kiroRegistry = defineExport({
  id: 'kiro-registry',
  file: 'registry.json',
  mediaType: 'application/json',
  purpose: 'registry',
  client: 'Kiro, Amazon Q Developer',
  status: 'stable',
  verified: '2026-11-30',
  wherePut: 'Enter this URL in the console of the service: Kiro reads it at its start and every 24 hours.',
  emptyBlocksEverything: true,
  render: (entries, options, check) => renderClientFile(entries, options, file, check),
  check: checkJson(z.strictObject({ servers: z.array(element) })),
});
