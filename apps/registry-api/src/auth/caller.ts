/** A caller that an identity provider has authenticated. */
export interface Caller {
  /** Name of the provider in the spec. */
  readonly provider: string;
  /** The `sub` of the token, or the claim that replaces it. */
  readonly subject: string;
  readonly scopes: ReadonlySet<string>;
}
