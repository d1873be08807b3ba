import type { z } from 'zod';
import { ownMember } from '#domain/own-member.js';
import { isFields } from '#domain/fields.js';
import { PUBLISHER_PROVIDED } from '#domain/publisher-blocks.js';
import type { PublisherBlock } from '#domain/publisher-blocks.js';
import type { ServerInput, ServerPackage, ServerRemote } from '#domain/server-document.js';
import { cut } from '../characters.js';
import { renderClientFile } from '../client-file.js';
import type { ClientFile, WayContext } from '../client-file.js';
import { defineExport } from '../export-format.js';
import { fixedText, resolveInput } from '../inputs.js';
import type { Notes } from '../inputs.js';
import { toArguments } from '../launch/launch.js';
import { imageDigest, imageReference } from '../launch/portable.js';
import { Omitted } from '../omission.js';
import { writeJsonLines } from '../write/json.js';
import { checkJson } from './mcp-servers.js';
import {
  optionalFields,
  optionalRemoteFields,
  optionalServerFields,
  TOOLHIVE_KEY,
  toolhiveSchema,
} from './toolhive.schema.js';
import type { ToolhiveInput, ToolhiveRemote, ToolhiveServer } from './toolhive.schema.js';

/**
 * The namespace that our reader of this format puts in front of names that have none. The format's publisher-provided
 * data is also keyed by this namespace.
 */
const NAMESPACE = 'io.github.stacklok';
const MAX_DESCRIPTION = 500;
const DEPTH_OF_ENTRIES = 2;
const MAX_INPUT_DESCRIPTION = 200;

interface ToolhiveEntry {
  /** The server's name without the namespace that our reader adds. */
  readonly leaf: string | undefined;
  readonly server?: ToolhiveServer;
  readonly remote?: ToolhiveRemote;
}

/**
 * The inverse of our reader of this format: entries that the reader made from a file are written back as an equal file.
 */
const file: ClientFile<ToolhiveEntry> = {
  syntax: { inputPlaces: new Set(), placeholder: (name) => name },
  pack(pack, context) {
    const { notes } = context;
    if (pack.registryType !== 'oci') throw new Omitted('no-launcher', 'the format holds container images only');
    if (imageDigest(pack) !== undefined) throw new Omitted('digest-unsupported');
    if ((pack.runtimeArguments ?? []).length > 0) throw new Omitted('runtime-hint');
    const args = toArguments(pack.packageArguments, notes).map((value) => fixedText(value));
    if (args.includes(undefined)) throw new Omitted('needs-input');
    const block = blockOf(context, pack.identifier);
    const variables = (pack.environmentVariables ?? []).map((each) => toInput(each.name, each, notes));
    const port = targetPort(pack);
    return {
      leaf: leafOf(context),
      server: {
        ...common(context, block),
        image: imageReference(pack),
        transport: pack.transport.type as ToolhiveServer['transport'],
        ...(port !== undefined && { target_port: port }),
        ...(args.length > 0 && { args: args as string[] }),
        ...(variables.length > 0 && { env_vars: variables }),
        ...fitting(block, optionalServerFields),
      } as ToolhiveServer,
    };
  },
  remote(call, context) {
    const { url, headers: declared = [], type } = context.endpoint as ServerRemote;
    if (fixedText(call.url) === undefined || url === undefined) throw new Omitted('variable-in-url');
    const block = blockOf(context, url);
    const headers = declared.map((each) => ({
      ...toInput(each.name, each, context.notes),
      ...(each.choices && each.choices.length > 0 && !each.isSecret && { choices: [...each.choices] }),
    }));
    return {
      leaf: leafOf(context),
      remote: {
        ...common(context, block),
        url,
        transport: type as ToolhiveRemote['transport'],
        ...(headers.length > 0 && { headers }),
        ...fitting(block, optionalRemoteFields),
      } as ToolhiveRemote,
    };
  },
  write(servers, { changedAtMs }) {
    const leaves = Map.groupBy(servers, ({ key, server: { leaf } }) => leaf ?? key);
    const keyed = servers.map(({ key, server }) => {
      const isFree = server.leaf !== undefined && leaves.get(server.leaf)?.length === 1;
      return { key: isFree ? (server.leaf as string) : key, ...server };
    });
    const remotes = keyed.flatMap(({ key, remote }) => (remote ? [[key, remote] as const] : []));
    const catalogue = {
      last_updated: new Date(changedAtMs).toISOString(),
      version: '1.0.0',
      servers: Object.fromEntries(keyed.flatMap(({ key, server }) => (server ? [[key, server] as const] : []))),
      ...(remotes.length > 0 && { remote_servers: Object.fromEntries(remotes) }),
    };
    return writeJsonLines(catalogue, DEPTH_OF_ENTRIES);
  },
};

function common({ entry, notes }: WayContext, block: PublisherBlock) {
  const { name, title, description = '', repository } = entry.server;
  const { tools, tier } = block;
  if (!Array.isArray(tools) || tools.length === 0) throw new Omitted('missing-tools');
  const shown = cut(description, MAX_DESCRIPTION);
  if (shown !== description) notes.add('shortened');
  return {
    ...(!hasReaderName(name) && { name }),
    ...(title !== undefined && { title }),
    description: shown,
    ...(repository?.url !== undefined && { repository_url: repository.url }),
    status: entry.status === 'deprecated' ? ('Deprecated' as const) : ('Active' as const),
    tier: tier === 'Official' ? tier : ('Community' as const),
    tools: tools as string[],
    ...fitting(block, optionalFields),
  };
}

function hasReaderName(name: string): boolean {
  return name.startsWith(`${NAMESPACE}/`) && TOOLHIVE_KEY.test(name.slice(NAMESPACE.length + 1));
}

function leafOf({ entry }: WayContext): string | undefined {
  const { name } = entry.server;
  return hasReaderName(name) ? name.slice(NAMESPACE.length + 1) : undefined;
}

/** Returns the publisher's data about an image or a URL, which is stored under the reader's namespace. */
function blockOf({ entry }: WayContext, publishedFor: string): PublisherBlock {
  const { _meta: meta } = entry.server;
  const provided = isFields(meta) ? meta[PUBLISHER_PROVIDED] : undefined;
  const namespace = isFields(provided) ? provided[NAMESPACE] : undefined;
  const block = isFields(namespace) ? ownMember(namespace, publishedFor) : undefined;
  return isFields(block) ? block : {};
}

/** Picks the fields of a block that the format defines and whose values are valid for it. */
function fitting(block: PublisherBlock, fields: Readonly<Record<string, z.ZodType>>): Record<string, unknown> {
  const found = Object.entries(fields).flatMap(([name, type]) => {
    const value = Object.hasOwn(block, name) ? type.safeParse(block[name]) : undefined;
    return value?.success ? [[name, value.data] as const] : [];
  });
  return Object.fromEntries(found);
}

function toInput(name: string, input: ServerInput, notes: Notes): ToolhiveInput {
  const { isRequired = false, isSecret = false, description } = input;
  const value = resolveInput(input, name, notes);
  const proposed = value && fixedText(value);
  const text = cut(description ?? '', MAX_INPUT_DESCRIPTION);
  if (text !== (description ?? '')) notes.add('shortened');
  return {
    name,
    description: text.length < 5 ? `The value of ${name}` : text,
    required: isRequired,
    ...(isSecret && { secret: true }),
    ...(proposed !== undefined && proposed !== '' && { default: proposed }),
  };
}

/** Returns the port that a container listens on, or undefined for a package that uses stdio. */
function targetPort({ transport }: ServerPackage): number | undefined {
  const { url } = transport;
  if (url === undefined || !URL.canParse(url)) return undefined;
  return Number(new URL(url).port) || undefined;
}

export const toolhive = defineExport({
  id: 'toolhive',
  file: 'registry.json',
  mediaType: 'application/json',
  purpose: 'registry',
  client: 'thv before May 2026, registries of format toolhive',
  status: 'deprecated',
  verified: '2026-11-30',
  wherePut:
    'A source of format toolhive, or thv config set-registry of a release before May 2026; later releases need the format upstream.',
  emptyBlocksEverything: false,
  render: (entries, options, check) => renderClientFile(entries, options, file, check),
  check: checkJson(toolhiveSchema),
});
