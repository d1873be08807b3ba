/** A caller whom an identity provider vouches for. */
export interface Caller {
  /** Name of the provider in the spec. */
  readonly provider: string;
  /** The `sub` of the token, or what stands for it. */
  readonly subject: string;
  readonly scopes: ReadonlySet<string>;
}
