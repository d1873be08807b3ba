/** An object of a cluster that runs an MCP server or stands before one, as far as an entry is made of it. */
export interface ServerObject {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: {
    readonly image?: string;
    /** How the server itself speaks. */
    readonly transport?: string;
    /** How a server that speaks `stdio` is spoken to by others. */
    readonly proxyMode?: string;
  };
}

/** The annotations of ToolHive, of which this project reads those that describe an entry. */
export const ANNOTATION_PREFIX = 'toolhive.stacklok.dev/';

/** Nothing is published of an object unless its owner says so, in just this word. */
export function isExported({ annotations }: Pick<ServerObject, 'annotations'>): boolean {
  return annotations[`${ANNOTATION_PREFIX}registry-export`] === 'true';
}

/** Returns the annotations of an object that registries read, in the order of their names. */
export function registryAnnotations(annotations: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(annotations)
      .filter(([name]) => name.startsWith(ANNOTATION_PREFIX))
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}
