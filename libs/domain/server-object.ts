/** A cluster object that runs an MCP server or proxies one, with the fields that are used for its entry. */
export interface ServerObject {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: {
    readonly image?: string;
    /** Transport of the server itself. */
    readonly transport?: string;
    /** Transport through which clients reach a server that uses `stdio`. */
    readonly proxyMode?: string;
  };
}

/** Prefix of ToolHive's annotations. This project reads those that describe an entry. */
export const ANNOTATION_PREFIX = 'toolhive.stacklok.dev/';

/** Returns whether the owner of the object has exported it, which requires exactly this annotation. */
export function isExported({ annotations }: Pick<ServerObject, 'annotations'>): boolean {
  return annotations[`${ANNOTATION_PREFIX}registry-export`] === 'true';
}

/** Returns the annotations that registries read, sorted by name. */
export function registryAnnotations(annotations: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(annotations)
      .filter(([name]) => name.startsWith(ANNOTATION_PREFIX))
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}
