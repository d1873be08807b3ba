/** Kinds of objects that route traffic into the cluster. A registry has at most one such object. */
export const EXPOSURE_KINDS = ['Ingress', 'HTTPRoute'] as const;

/** How the servers of registries can be reached from outside the cluster. */
export interface Exposure {
  readonly kind: (typeof EXPOSURE_KINDS)[number];
  /** Host name, in which `{name}` and `{namespace}` are replaced by those of the registry. */
  readonly host: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly ingressClassName: string;
  readonly tls: { readonly enabled: boolean; readonly secretName: string };
  /** Gateways, in the form of `spec.parentRefs` of an HTTPRoute. */
  readonly parentRefs: readonly Readonly<Record<string, unknown>>[];
}
