import { LineCounter, parseAllDocuments } from 'yaml';
import type { Document } from 'yaml';
import { parseRegistrySpec } from '#spec/registry-spec.js';
import type { RegistrySpec } from '#spec/registry-spec.js';
import { formatPath } from '#domain/field-path.js';
import { parseWithFaults } from '#spec/spec-fault.js';
import type { SpecFault } from '#spec/spec-fault.js';
import { yamlErrorPhrase } from '#sources/yaml/yaml-error.js';
import { offsetOf } from '#sources/yaml/yaml-offset.js';
import type { DocumentFault } from './document-fault.js';
import { configMapDocument, registryDocument, secretDocument } from './document-schemas.js';
import type { DataDocument, Manifest, ManifestEntry, RegistryDocument } from './manifest.js';

const TRIGGER_ANNOTATIONS = ['toolhive.stacklok.dev/sync-trigger', 'toolhive.stacklok.dev/manual-sync'];

/**
 * Parses the documents of one file, which may be JSON, because JSON is YAML too. An error in one document does not
 * affect the others.
 */
export function parseManifest(text: string, file: string): Manifest {
  return joined(splitDocuments(text).flatMap((part) => parsePart(part, file)));
}

interface Part {
  readonly text: string;
  /** Line number in the file, from 1, at which this part starts. */
  readonly firstLine: number;
}

/**
 * Splits a file like kubectl does, at each line that starts with `---`, which YAML does not allow inside a document. If
 * the parser had to find the documents itself, an unclosed quote would swallow all documents after it.
 */
function splitDocuments(text: string): Part[] {
  let firstLine = 1;
  return text.split(/^(?=---(?:\s|$))/m).map((part) => {
    const document = { text: part, firstLine };
    firstLine += part.split('\n').length - 1;
    return document;
  });
}

function parsePart({ text, firstLine }: Part, file: string): Manifest[] {
  if (text.split('\n').every((line) => /^\s*$|^[#%]/.test(line))) return []; // A directive such as `%YAML 1.2` precedes its `---`.
  const lines = new LineCounter();
  const lineAt = (offset: number) => firstLine + lines.linePos(offset).line - 1;
  return parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, merge: true, logLevel: 'error' }).map(
    (document) => parseDocument(document, file, lineAt),
  );
}

function joined(parts: readonly Manifest[]): Manifest {
  return {
    entries: parts.flatMap(({ entries }) => entries),
    faults: parts.flatMap(({ faults }) => faults),
    notices: parts.flatMap(({ notices }) => notices),
  };
}

/** The position of a Kubernetes object in a YAML document. */
interface Place {
  readonly file: string;
  lineOf(path: SpecFault['path']): number;
}

function parseDocument(document: Document.Parsed, file: string, lineAt: (offset: number) => number): Manifest {
  if (document.errors.length > 0) {
    const language = file.endsWith('.json') ? 'JSON' : 'YAML';
    const faults = document.errors.map((error) => ({
      file,
      line: lineAt(error.pos[0]),
      message: `is not ${language}: ${yamlErrorPhrase(error)}`,
    }));
    // A single mistake can cause several errors of the parser.
    return unreadable(file, [...new Map(faults.map((fault) => [`${fault.line} ${fault.message}`, fault])).values()]);
  }
  const place = (root: SpecFault['path']): Place => ({
    file,
    lineOf: (path) => lineAt(offsetOf(document, [...root, ...path])),
  });
  let content: unknown;
  try {
    content = document.toJS();
  } catch (error) {
    return unreadable(file, [{ file, line: place([]).lineOf([]), message: aliasFault(error) }]);
  }
  return parseObject(content, place([]), place);
}

/**
 * Returns the error for an alias. The parser rejects an alias without an anchor, and too many aliases, which would make
 * the document grow without bound.
 */
function aliasFault(error: unknown): string {
  return String(error).includes('Excessive alias count')
    ? 'repeats its parts by too many aliases (*name): write the values out'
    : 'has an alias (*name) that cannot be resolved: write the value out';
}

function parseObject(content: unknown, place: Place, placeOfItem: (root: SpecFault['path']) => Place): Manifest {
  if (content === null || content === undefined) return { entries: [], faults: [], notices: [] };
  const kind = (content as { kind?: unknown }).kind;
  switch (kind) {
    case 'MCPRegistry':
      return parseRegistry(content, place);
    case 'ConfigMap':
    case 'Secret':
      return parseData(kind, content, place);
    case 'List':
    case 'MCPRegistryList':
      return parseList(content as { items?: unknown }, placeOfItem);
  }
  const at = { file: place.file, line: place.lineOf(['kind']) };
  if (typeof kind !== 'string') {
    return unreadable(place.file, [{ ...at, field: 'kind', message: 'is required: MCPRegistry, ConfigMap or Secret' }]);
  }
  const notice = {
    ...at,
    message: `${kind} is ignored: only MCPRegistry, ConfigMap and Secret are supported here`,
  };
  return { entries: [], faults: [], notices: [notice] };
}

/** Parses a list, which is how `kubectl get -o yaml` writes several objects. */
function parseList({ items }: { items?: unknown }, placeOfItem: (root: SpecFault['path']) => Place): Manifest {
  const parts = (Array.isArray(items) ? items : []).map((item, index) => {
    const root = ['items', index];
    return parseObject(item, placeOfItem(root), (inner) => placeOfItem([...root, ...inner]));
  });
  return joined(parts);
}

function parseRegistry(content: unknown, place: Place): Manifest {
  const parsed = parseWithFaults(registryDocument, content);
  const { spec } = content as { spec?: unknown };
  const specResult = parseRegistrySpec(spec);
  if ('faults' in parsed || 'faults' in specResult) {
    return faulty(
      'MCPRegistry',
      content,
      place,
      [parsed, specResult].flatMap((result) => ('faults' in result ? result.faults : [])),
    );
  }
  const { name, namespace, annotations } = parsed.value.metadata;
  const entry: RegistryDocument = {
    kind: 'MCPRegistry',
    namespace,
    name,
    file: place.file,
    line: place.lineOf([]),
    triggerToken: TRIGGER_ANNOTATIONS.map((annotation) => annotations?.[annotation]).find(Boolean),
    spec,
  };
  return { entries: [entry], faults: [], notices: mountNotices(specResult.spec.raw, place) };
}

/** Returns a notice for volumes, which are mounted only in a cluster. */
function mountNotices(raw: RegistrySpec['raw'], place: Place): DocumentFault[] {
  const paths = (raw?.volumeMounts ?? []).map(({ mountPath }) => String(mountPath));
  if (paths.length === 0) return [];
  const path = ['spec', 'volumeMounts'];
  const message = `mounts nothing outside of a cluster: put the files below ${paths.join(', ')} of this machine`;
  return [{ file: place.file, line: place.lineOf(path), field: formatPath(path), message }];
}

function parseData(kind: DataDocument['kind'], content: unknown, place: Place): Manifest {
  const parsed =
    kind === 'Secret'
      ? parseWithFaults(secretDocument, content, { showValues: false })
      : parseWithFaults(configMapDocument, content, { showValues: false });
  if ('faults' in parsed) return faulty(kind, content, place, parsed.faults);

  const { metadata, data, ...rest } = parsed.value;
  const more = 'stringData' in rest ? rest.stringData : 'binaryData' in rest ? rest.binaryData : undefined;
  const entry: DataDocument = {
    kind,
    namespace: metadata.namespace,
    name: metadata.name,
    file: place.file,
    line: place.lineOf([]),
    data: new Map(Object.entries({ ...data, ...more })),
  };
  return { entries: [entry], faults: [], notices: [] };
}

function faulty(
  of: RegistryDocument['kind'] | DataDocument['kind'],
  content: unknown,
  place: Place,
  found: readonly SpecFault[],
): Manifest {
  const faults = found.map(({ path, message }) => ({
    file: place.file,
    line: place.lineOf(path),
    ...(path.length > 0 && { field: formatPath(path) }),
    message,
  }));
  const { name, namespace = 'default' } = ((content as { metadata?: unknown }).metadata ?? {}) as Record<
    string,
    unknown
  >;
  if (typeof name !== 'string' || typeof namespace !== 'string') return unreadable(place.file, faults);
  return { entries: [{ kind: 'Faulty', of, namespace, name, file: place.file }], faults, notices: [] };
}

function unreadable(path: string, faults: readonly DocumentFault[]): Manifest {
  const entries: ManifestEntry[] = [{ kind: 'Unreadable', path }];
  return { entries, faults, notices: [] };
}
