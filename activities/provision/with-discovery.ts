import type { RegistrySpec } from '#spec/registry-spec.js';
import { BUILT_IN_SOURCE } from '#spec/source-entry-spec.js';
import type { RegistrySource } from '#spec/source-entry-spec.js';
import type { ServerSettings } from './desired/blueprint.js';
import type { Notice } from '#domain/notice.js';
import { kubernetesSource } from '#sources/kubernetes.source.js';
import { runsAsOurAccount } from './desired/own-account.js';

/** In no spec, before all that is in one. */
const BUILT_IN: RegistrySource = {
  name: BUILT_IN_SOURCE,
  type: kubernetesSource.block,
  spec: {},
  format: 'upstream',
  builtIn: true,
};

/** The spec with the source that every registry of a cluster has, unless it says otherwise: the MCP servers of its namespace. */
export function withDiscovery(
  spec: RegistrySpec,
  { discovery = true }: Pick<ServerSettings, 'discovery'>,
): RegistrySpec {
  const { raw, registries } = spec;
  if (!discovery) return spec;
  // A spec with a whole configuration (`configYAML`) names the built-in source in there.
  if (raw || registries.some(isDefault)) return spec;
  // A source that the spec does not name must not fail.
  if (registries.length > 0 && !runsAsOurAccount(spec)) return spec;
  return { ...spec, registries: [BUILT_IN, ...registries] };
}

/** What becomes of it that not everybody may expect. */
export function discoveryNotices(
  { raw, registries }: RegistrySpec,
  { discovery = true }: Pick<ServerSettings, 'discovery'>,
): Notice[] {
  if (raw || !discovery || !registries.some(isDefault)) return [];
  const message =
    'the source "default" of the spec takes the place of the built-in one: MCP servers of the cluster are not listed';
  return [{ reason: 'BuiltInSourceReplaced', message }];
}

function isDefault({ name }: RegistrySource): boolean {
  return name === BUILT_IN.name;
}
