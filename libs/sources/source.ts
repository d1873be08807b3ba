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

/** Time limit of one fetch, in every process that reads sources: cloning from a slow host takes its time. */
export const FETCH_TIMEOUT_MS = 120_000;

/** The largest catalogue file that is read. */
export const MAX_FILE_BYTES = 256 * 1024 * 1024;

/** What a source holds now. Equal revisions mean equal content. */
export interface SourceRevision {
  /** Name of the revision for people: a commit, a content hash. */
  readonly revision: string;
  /** How people find it again: `registry.json at main@3f2c…`; for messages. */
  readonly label: string;
}

/** The names that other servers of this kind have for a type of source. */
export interface SourceView {
  readonly type: 'REMOTE' | 'FILE' | 'MANAGED' | 'KUBERNETES';
  readonly sourceType: string;
  /** Under which name its address is shown; not at all when absent. */
  readonly address?: string;
}

/** What is mounted at the source's own directory in the pod of a registry, and the path of the catalogue in there. */
export type SourceMount =
  | {
      /** The name of a PersistentVolumeClaim. */
      readonly claim: string;
      readonly file: string;
    }
  | {
      /** A key, or all keys, read from the Kubernetes API, and mounted only in a pod that may not ask it. */
      readonly configMap: { readonly name: string; readonly key?: string };
      readonly file: string;
    };

/** One type of source: its block in the spec, what a registry with such a source needs, and how the source is read. */
interface SourceType<Spec> {
  /** The property of `registries[]` that selects it. */
  readonly block: string;
  /** How admin APIs show it. */
  readonly view: SourceView;
  /** One schema: type, validation, messages, and later the CRD. */
  readonly spec: z.ZodType<Spec>;
  /** The block in the configuration of a server, where that may say more: it knows the files of the server. */
  readonly serverSpec?: z.ZodType<Spec>;
  /** Where the data comes from, for people: without credentials, and before any rewrite. */
  address(spec: Spec): string;
  /** The format of the data when an entry of the spec has no `format`; otherwise that of the whole document applies. */
  readonly defaultFormat?: SourceFormat;
  /** Why a field of `registries[]` cannot stand beside the block. */
  readonly excludes?: Readonly<Partial<Record<'filter' | 'defaultNamespace', string>>>;
  /**
   * The fields of the block that refer to Secrets and certificates. These are mounted, their names are watched, and a change of one
   * makes the source due.
   */
  readonly objects?: readonly ObjectField[];
  /** The volume that the source reads. A ConfigMap is watched as well, and the server may read it. */
  mount?(spec: Spec): SourceMount;
  /** What the server may do in the namespace because of the source, besides reading the ConfigMap of `mount`. */
  readonly permissions?: readonly PolicyRule[];
  /** Remarks on a block that is valid; each message begins in the middle of a sentence about the source. */
  notices?(spec: Spec): readonly Notice[];
  /** What changes the content, when this product observes each such change by itself. */
  readonly changedBy?: 'manifests' | 'publications' | 'server-objects';
}

/** A source that is one file. */
export interface FileSource<Spec> extends SourceType<Spec> {
  readonly shape: 'file';
  /** What the file is written in when that is not for the spec to say: the source writes it itself. */
  readonly fileFormat?: FileFormat;
  /** The source reports what exists, not a list that was written down: few entries, or none, are as true as many. */
  readonly mayBeEmpty?: true;
  /**
   * Its path may lead to another file than a catalogue, a mounted Secret for example: messages, which more people read than files, must
   * not quote it.
   */
  readonly hidesContent?: true;
  /** Its download runs a program that has memory of its own. */
  readonly runsProgram?: true;
  /** Returns the revision, as cheaply as the source can name it; throws a RegistryError. */
  resolve(spec: Spec, context: SourceContext): Promise<SourceRevision>;
  /** Writes the one file of that revision to `path`; throws a RegistryError. */
  download(spec: Spec, revision: SourceRevision, path: string, context: SourceContext): Promise<void>;
}

/** A source that gives its entries page by page, and has no name for what it holds. */
export interface PagedSource<Spec> extends SourceType<Spec> {
  readonly shape: 'pages';
  /** Whether anything changed since the list was stored, as far as the source can say so; throws a RegistryError. */
  probe(spec: Spec, known: KnownState, context: ApiContext): Promise<Probe>;
  /**
   * The list from its beginning, or from the page after a stored cursor on, each page as what `take` makes of it; throws a
   * RegistryError. It mostly waits; what is heavy about a page is left to `read`.
   */
  pages<Page extends PageOutline>(
    spec: Spec,
    options: WalkOptions,
    context: ApiContext,
    take: (page: RawPage) => Page | Promise<Page>,
  ): AsyncGenerator<Page>;
  /** What stands on a page; throws a RegistryError. */
  read(page: RawPage): ApiPage;
}

/** A source whose entries are published here: what it holds is what is stored. */
export interface PublishedSource<Spec> extends SourceType<Spec> {
  readonly shape: 'published';
  /** The prefixes that published names must have; any name may be published when undefined. */
  namePrefixes(spec: Spec): readonly string[] | undefined;
}

export type Source<Spec> = FileSource<Spec> | PagedSource<Spec> | PublishedSource<Spec>;

/** Ties schema and functions together, so that the spec's type is written once, by the schema. */
export function defineSource<Spec>(source: FileSource<Spec>): FileSource<Spec>;
export function defineSource<Spec>(source: PagedSource<Spec>): PagedSource<Spec>;
export function defineSource<Spec>(source: PublishedSource<Spec>): PublishedSource<Spec>;
export function defineSource(source: object): object {
  return source;
}
