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
  /** The spec as written. It conforms to the schema. */
  readonly spec: unknown;
}

/** A ConfigMap or Secret. */
export interface DataDocument extends Named {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly line: number;
  /** The decoded values, including those of `binaryData` and `stringData`. */
  readonly data: ReadonlyMap<string, Uint8Array>;
}

/** An invalid document with a readable name. The last valid version with this name stays. */
interface FaultyDocument extends Named {
  readonly kind: 'Faulty';
  readonly of: (RegistryDocument | DataDocument)['kind'];
}

/** A document, file or directory that cannot be read. Its last known content stays. */
interface UnreadablePlace {
  readonly kind: 'Unreadable';
  /** Path of a file, or of a directory with all its files. */
  readonly path: string;
}

export type ManifestEntry = RegistryDocument | DataDocument | FaultyDocument | UnreadablePlace;

/** The documents of all files, in the order of the files. */
export interface Manifest {
  readonly entries: readonly ManifestEntry[];
  readonly faults: readonly DocumentFault[];
  /** Documents of other kinds, which are ignored, and volumes, which are mounted only in a cluster. */
  readonly notices: readonly DocumentFault[];
}
