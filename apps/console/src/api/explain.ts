/** Response of `/v1/registries/{name}/explain`: the verdict on a name in each source. */
export interface Explanation {
  readonly name: string;
  readonly served: { readonly source: string; readonly latest: string; readonly versions: number } | null;
  readonly sources: readonly {
    readonly source: string;
    readonly verdict: string;
    readonly by?: string;
    readonly versions: readonly VersionVerdict[];
  }[];
  /** Similar names that are served. */
  readonly near: readonly string[];
}

export interface VersionVerdict {
  readonly version: string;
  readonly verdict: string;
  readonly by?: string;
  readonly until?: string;
  readonly path?: string;
  readonly message?: string;
}

export const explainPath = (registry: string, name: string): string =>
  `v1/registries/${encodeURIComponent(registry)}/explain?${new URLSearchParams({ name })}`;
