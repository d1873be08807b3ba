import type { RegistrySpec } from '#spec/registry-spec.js';
import { BUILT_IN_SOURCE } from '#spec/source-entry-spec.js';
import type { RegistrySource } from '#spec/source-entry-spec.js';
import type { ServerSettings } from './desired/blueprint.js';
import type { Notice } from '#domain/notice.js';
import { kubernetesSource } from '#sources/kubernetes.source.js';
import { runsAsOurAccount } from './desired/own-account.js';

/** The built-in source, which the operator adds before all sources of a spec. */
const BUILT_IN: RegistrySource = {
  name: BUILT_IN_SOURCE,
  type: kubernetesSource.block,
  spec: {},
  format: 'upstream',
  builtIn: true,
};

/** Adds the built-in source, the MCP servers of the namespace, to the spec unless it is disabled or replaced. */
export function withDiscovery(
  spec: RegistrySpec,
  { discovery = true }: Pick<ServerSettings, 'discovery'>,
): RegistrySpec {
  const { raw, registries } = spec;
  if (!discovery) return spec;
  // A spec with a whole configuration (`configYAML`) has to list the built-in source there.
  if (raw || registries.some(isDefault)) return spec;
  // A source that the spec does not list must never fail. So beside other sources it is added only if the pod runs as
  // our account, which may list servers.
  if (registries.length > 0 && !runsAsOurAccount(spec)) return spec;
  return { ...spec, registries: [BUILT_IN, ...registries] };
}

/** Returns a notice if a source of the spec replaces the built-in one, which users may not expect. */
export function discoveryNotices(
  { raw, registries }: RegistrySpec,
  { discovery = true }: Pick<ServerSettings, 'discovery'>,
): Notice[] {
  if (raw || !discovery || !registries.some(isDefault)) return [];
  const message =
    'the source "default" of the spec replaces the built-in one: MCP servers of the cluster are not listed';
  return [{ reason: 'BuiltInSourceReplaced', message }];
}

function isDefault({ name }: RegistrySource): boolean {
  return name === BUILT_IN.name;
}
