import type { DocumentFault } from './document-fault.js';

interface Named {
  readonly namespace: string;
  readonly name: string;
  readonly file: string;
}

export interface RegistryDocument extends Named {
  readonly kind: 'MCPRegistry';
  readonly line: number;
  readonly triggerToken: string | undefined;
  /** The spec as it was written; it has passed the schema. */
  readonly spec: unknown;
}

/** A ConfigMap or Secret. */
export interface DataDocument extends Named {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly line: number;
  /** Decoded, `binaryData` and `stringData` included. */
  readonly data: ReadonlyMap<string, Uint8Array>;
}

/** A document whose name can be read but that cannot take effect: what was known under its name stays. */
interface FaultyDocument extends Named {
  readonly kind: 'Faulty';
  readonly of: (RegistryDocument | DataDocument)['kind'];
}

/** A document, file or directory of which nothing can be said: whatever was known from there stays. */
interface UnreadablePlace {
  readonly kind: 'Unreadable';
  /** A file, or a directory with all its files. */
  readonly path: string;
}

export type ManifestEntry = RegistryDocument | DataDocument | FaultyDocument | UnreadablePlace;

/** The documents of all files, in the order of the files. */
export interface Manifest {
  readonly entries: readonly ManifestEntry[];
  readonly faults: readonly DocumentFault[];
  /** Documents of other kinds, which are left aside, and volumes, which are mounted in a cluster only. */
  readonly notices: readonly DocumentFault[];
}
