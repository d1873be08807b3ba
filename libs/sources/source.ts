import type { z } from 'zod';
import type { Notice } from '#domain/notice.js';
import type { ObjectField } from '#domain/object-field.js';
import type { PolicyRule } from '#domain/policy-rule.js';
import type { SourceFormat } from '#domain/source-format.js';
import type { ApiContext } from './api/api-context.js';
import type { KnownState, Probe } from './pages.js';
import type { ApiPage, PageOutline, RawPage, WalkOptions } from './pages.js';
import type { FileFormat } from './formats/layouts.js';
import type { SourceContext } from './context.js';

/**
 * Time limit of one fetch, in every process that reads sources. It is long, because cloning from a slow host takes
 * time.
 */
export const FETCH_TIMEOUT_MS = 120_000;

/** Maximum size of a catalogue file in bytes. */
export const MAX_FILE_BYTES = 256 * 1024 * 1024;

/** The current content of a source. Equal revisions mean equal content. */
export interface SourceRevision {
  /** The revision in human-readable form: a commit or a content hash. */
  readonly revision: string;
  /** How messages refer to the revision, so that users can find it again: `registry.json at main@3f2c…`. */
  readonly label: string;
}

/** The names that other servers of this kind use for a type of source. */
export interface SourceView {
  readonly type: 'REMOTE' | 'FILE' | 'MANAGED' | 'KUBERNETES';
  readonly sourceType: string;
  /** Name of the field that shows the address. If absent, the address is not shown. */
  readonly address?: string;
}

/** What is mounted in the source's own directory in the pod of a registry, and the path of the catalogue in it. */
export type SourceMount =
  | {
      /** Name of a PersistentVolumeClaim. */
      readonly claim: string;
      readonly file: string;
    }
  | {
      /**
       * One key or all keys of a ConfigMap. They are read from the Kubernetes API, and mounted only in a pod that may
       * not access the API.
       */
      readonly configMap: { readonly name: string; readonly key?: string };
      readonly file: string;
    };

/**
 * One type of source: its block in the spec, the requirements of a registry with such a source, and how the source is
 * read.
 */
interface SourceType<Spec> {
  /** Name of the property of `registries[]` that selects this type. */
  readonly block: string;
  /** How admin APIs describe the source. */
  readonly view: SourceView;
  /** The schema from which the type, the validation, the messages and the CRD are derived. */
  readonly spec: z.ZodType<Spec>;
  /**
   * Schema of the block in the configuration of a server, if it allows more fields, because the configuration can refer
   * to files of the server.
   */
  readonly serverSpec?: z.ZodType<Spec>;
  /** Returns the origin of the data to show to users, without credentials and before any rewrite. */
  address(spec: Spec): string;
  /**
   * Format of the data if an entry of the spec has no `format`. Without this default, that of the whole document
   * applies.
   */
  readonly defaultFormat?: SourceFormat;
  /** Reasons why fields of `registries[]` cannot be combined with this block. */
  readonly excludes?: Readonly<Partial<Record<'filter' | 'defaultNamespace', string>>>;
  /**
   * The fields of the block that refer to Secrets and certificates. The objects are mounted, changes to them are
   * watched, and a change makes the source due.
   */
  readonly objects?: readonly ObjectField[];
  /**
   * Returns the volume that the source reads. A ConfigMap is also watched, and the server gets the permission to read
   * it.
   */
  mount?(spec: Spec): SourceMount;
  /**
   * Permissions in the namespace that the server needs for the source, in addition to reading the ConfigMap of `mount`.
   */
  readonly permissions?: readonly PolicyRule[];
  /** Returns notices about a valid block. Each message continues a sentence about the source. */
  notices?(spec: Spec): readonly Notice[];
  /** The kind of event that changes the content, if this product observes all such changes by itself. */
  readonly changedBy?: 'manifests' | 'publications' | 'server-objects';
}

/** A source that consists of one file. */
export interface FileSource<Spec> extends SourceType<Spec> {
  readonly shape: 'file';
  /** Format of the file if the source writes the file itself, so that the spec cannot choose it. */
  readonly fileFormat?: FileFormat;
  /** Set if the source reports existing objects rather than a written list, so that few or no entries are plausible. */
  readonly mayBeEmpty?: true;
  /**
   * Set if the path may lead to a file that is not a catalogue, such as a mounted Secret. Messages must not quote the
   * file, because more people can read messages than files.
   */
  readonly hidesContent?: true;
  /** Set if the download runs a program that needs memory of its own. */
  readonly runsProgram?: true;
  /** Returns the current revision in the cheapest way that the source offers. Throws a RegistryError. */
  resolve(spec: Spec, context: SourceContext): Promise<SourceRevision>;
  /** Writes the file of the revision to `path`. Throws a RegistryError. */
  download(spec: Spec, revision: SourceRevision, path: string, context: SourceContext): Promise<void>;
}

/** A source that provides its entries page by page and has no name for its revisions. */
export interface PagedSource<Spec> extends SourceType<Spec> {
  readonly shape: 'pages';
  /**
   * Returns whether anything has changed since the list was stored, as far as the source reports it. Throws a
   * RegistryError.
   */
  probe(spec: Spec, known: KnownState, context: ApiContext): Promise<Probe>;
  /**
   * Yields the result of `take` for each page of the list, from the beginning or after a stored cursor. Throws a
   * RegistryError. This mostly waits for the network; the expensive processing of a page is left to `read`.
   */
  pages<Page extends PageOutline>(
    spec: Spec,
    options: WalkOptions,
    context: ApiContext,
    take: (page: RawPage) => Page | Promise<Page>,
  ): AsyncGenerator<Page>;
  /** Parses a page. Throws a RegistryError. */
  read(page: RawPage): ApiPage;
}

/** A source whose entries are published here, so that its content is what is stored. */
export interface PublishedSource<Spec> extends SourceType<Spec> {
  readonly shape: 'published';
  /** Returns the prefixes that published names must have, or undefined if any name may be published. */
  namePrefixes(spec: Spec): readonly string[] | undefined;
}

export type Source<Spec> = FileSource<Spec> | PagedSource<Spec> | PublishedSource<Spec>;

/** Defines a source. The type of the spec follows from the schema, so it is written only once. */
export function defineSource<Spec>(source: FileSource<Spec>): FileSource<Spec>;
export function defineSource<Spec>(source: PagedSource<Spec>): PagedSource<Spec>;
export function defineSource<Spec>(source: PublishedSource<Spec>): PublishedSource<Spec>;
export function defineSource(source: object): object {
  return source;
}
