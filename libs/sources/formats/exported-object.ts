import { z } from 'zod';
import type { CatalogueEntry } from '#domain/catalogue-entry.js';
import { ANNOTATION_PREFIX } from '#domain/server-object.js';
import type { ServerObject } from '#domain/server-object.js';
import { PUBLISHER_PROVIDED } from '#domain/publisher-blocks.js';
import { checked, EntryFault } from './entry-fault.js';
import { parseEntry } from './entry-text.js';
import { CutFault, JsonCutter } from './json-cutter.js';
import type { Container } from './json-cutter.js';
import { SERVER_SCHEMA, toEntry, versionSchema } from './server-json.js';

const NAMESPACE = 'io.github.stacklok';

/** The version of a server for which neither the owner nor the tag of the image specifies one. */
const VERSION = '1.0.0';

/** Returns the tag of an image if it is a valid version. `latest` and similar tags are not. */
function imageTag(image: string | undefined): string | undefined {
  const tag = /:([\w][\w.-]*)(@sha256:[0-9a-f]+)?$/.exec(image ?? '')?.[1];
  return tag && /\d/.test(tag) && versionSchema.safeParse(tag).success ? tag : undefined;
}

/** Returns the name of an object's entry. */
export function entryName(namespace: string, name: string): string {
  return `com.toolhive.k8s.${namespace}/${name}`;
}

/**
 * Creates the entry of an exported object, with the same rules as for any server.json. Throws an EntryFault that
 * contains the name of the annotation.
 */
export function exportedEntry(value: unknown): CatalogueEntry {
  const { name, object } = value as { readonly name: string; readonly object: ServerObject };
  const said = (annotation: string) => object.annotations[ANNOTATION_PREFIX + annotation]?.trim() || undefined;
  const url = needed('registry-url', said, 'the URL at which clients reach it');
  const description = needed('registry-description', said, 'a sentence about the server');
  if (!/^https?:\/\/\S+$/.test(url)) throw fault('registry-url', 'must be an http:// or https:// URL');
  const [title, icon, category] = [said('registry-title'), said('registry-icon'), said('registry-category')];
  const tools = listIn('tools', said, z.string().min(1));
  const toolDefinitions = listIn('tool-definitions', said, z.looseObject({ name: z.string().min(1) }));
  const version = said('registry-version') ?? imageTag(object.spec.image);
  const server = {
    $schema: SERVER_SCHEMA,
    name,
    ...(title && { title }),
    description,
    version: version ?? VERSION,
    ...(icon && { icons: [{ src: icon }] }),
    remotes: [{ type: transportOf(object), url }],
    _meta: {
      [PUBLISHER_PROVIDED]: {
        [NAMESPACE]: {
          [url]: {
            status: 'active',
            ...(tools && { tools }),
            ...(category && { tags: [category] }),
            ...(toolDefinitions && { tool_definitions: toolDefinitions }),
            metadata: { kubernetes: originOf(object) },
          },
        },
      },
    },
  };
  const entry = toEntry({ text: JSON.stringify(server), value: server });
  return version === undefined ? { ...entry, isVersionAssumed: true } : entry;
}

type Said = (annotation: string) => string | undefined;

function needed(annotation: string, said: Said, what: string): string {
  const value = said(annotation);
  if (value === undefined) throw fault(annotation, `is missing: set it to ${what}`);
  return value;
}

/** Returns the transport that clients use. A server with `stdio` runs behind a proxy that provides HTTP. */
function transportOf({ spec: { transport, proxyMode } }: ServerObject): 'sse' | 'streamable-http' {
  return (transport === 'stdio' ? proxyMode : transport) === 'sse' ? 'sse' : 'streamable-http';
}

function originOf({ kind, namespace, name, uid, spec: { image, transport } }: ServerObject): object {
  return { kind, namespace, name, uid, ...(image && { image }), ...(transport && { transport }) };
}

const LIMITS = { maxValueBytes: 256 * 1024, maxDepth: 56 };
const LIST: Container = { name: 'list', opener: '[', holdsEntries: true };

/**
 * Returns the JSON list in an annotation, or undefined if the annotation is empty. Each item must satisfy the rules for
 * entries.
 */
function listIn<Item extends z.ZodType>(annotation: string, said: Said, item: Item): z.output<Item>[] | undefined {
  const text = said(annotation);
  if (text === undefined) return undefined;
  const items = cut(annotation, text).map((value, index) => {
    try {
      return checked(item, value());
    } catch (error) {
      if (error instanceof SyntaxError) throw fault(annotation, 'must be a JSON list');
      if (!(error instanceof EntryFault)) throw error;
      throw fault(annotation, `has an error: [${index}]${error.path && `.${error.path}`} ${error.message}`);
    }
  });
  return items.length > 0 ? items : undefined;
}

function cut(annotation: string, text: string): (() => unknown)[] {
  const cutter = new JsonCutter(LIST, LIMITS);
  try {
    const slices = cutter.push(Buffer.from(text));
    cutter.end();
    if (!cutter.entered.has(LIST.name)) throw fault(annotation, 'must be a JSON list');
    return slices.map(({ bytes, colons, hasBlanks }) => {
      if (!bytes) throw fault(annotation, `has more than ${LIMITS.maxDepth} levels or ${LIMITS.maxValueBytes} bytes`);
      return () => parseEntry({ bytes, colons, hasBlanks }).value;
    });
  } catch (error) {
    if (error instanceof CutFault) throw fault(annotation, `must be a JSON list: ${error.message}`);
    throw error;
  }
}

function fault(annotation: string, message: string): EntryFault {
  return new EntryFault(['metadata', 'annotations', ANNOTATION_PREFIX + annotation], message);
}
