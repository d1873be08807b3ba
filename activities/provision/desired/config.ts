import { SERVER_CONFIG_KEY, SERVER_GENERATION_KEY, SERVER_TRIGGER_KEY } from '#spec/pod-paths.js';
import { renderServerConfig } from '#spec/server-config.js';
import type { KubernetesObject } from '#kubernetes/kubernetes-object.js';
import type { Blueprint } from './blueprint.js';
import { head, names } from './naming.js';

export const CA_BUNDLE_KEY = 'ca-bundle.crt';

/**
 * Creates the ConfigMap with the server's configuration: the user's own `configYAML` unchanged, or one rendered from
 * the typed fields.
 */
export function toConfigMap({ registry, generation, triggerToken, spec, settings }: Blueprint): KubernetesObject {
  const text = spec.raw?.configYAML ?? renderServerConfig(spec, registry);
  const annotations = { 'toolhive.stacklok.dev/content-checksum': checksum(text) };
  // Tells the server to which edit of the resource this configuration belongs.
  const known = {
    [SERVER_GENERATION_KEY]: String(generation),
    ...(triggerToken !== undefined && { [SERVER_TRIGGER_KEY]: triggerToken }),
  };
  const config = head('ConfigMap', registry, names.config(registry.name), annotations);
  const bundle = settings.caBundle === undefined ? {} : { [CA_BUNDLE_KEY]: settings.caBundle };
  return { ...config, data: { [SERVER_CONFIG_KEY]: text, ...known, ...bundle } } as KubernetesObject;
}

/** A 32-bit FNV-1a hash that lets people tell edits apart at a glance. Nothing relies on it. */
function checksum(text: string): string {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value.toString(16).padStart(8, '0');
}
