/** How the servers of registries are reached from outside the cluster. */
export interface Exposure {
  readonly kind: 'Ingress' | 'HTTPRoute';
  /** `{name}` and `{namespace}` stand for those of the registry. */
  readonly host: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly ingressClassName: string;
  readonly tls: { readonly enabled: boolean; readonly secretName: string };
  /** Gateways, as in `spec.parentRefs` of an HTTPRoute. */
  readonly parentRefs: readonly Readonly<Record<string, unknown>>[];
}
