import { isFields } from '#domain/fields.js';
import { parseConfigYaml } from '#sources/yaml/config-yaml.js';
import { parseRegistrySpec } from '#spec/registry-spec.js';
import type { RegistrySpec } from '#spec/registry-spec.js';
import { formatFault, joinFaults } from '#spec/spec-fault.js';
import { API_LIMITS } from '../../limits.js';
import { Refusal } from '../../refusal.js';

const { yamlCharacters, patternCharacters } = API_LIMITS.preview;

/**
 * Reads a spec, or the spec of a whole MCPRegistry, from JSON or YAML. Throws a `Refusal` if the body is neither, if
 * the spec is invalid, or if the work would take too long: YAML is parsed on the event loop, and each pattern is
 * matched with each entry.
 */
export function readPreviewedSpec(bytes: Buffer): RegistrySpec {
  const content = readText(bytes.toString());
  const isResource = isFields(content) && 'spec' in content;
  const spec = isResource ? content['spec'] : content;
  const config = isFields(spec) ? spec['configYAML'] : undefined;
  if (typeof config === 'string' && config.length > yamlCharacters) {
    throw new Refusal('invalid', `spec.configYAML may have at most ${yamlCharacters} characters in a preview`);
  }
  const read = parseRegistrySpec(spec);
  if ('faults' in read) throw new Refusal('invalid', joinFaults(read.faults.map(formatFault)));
  refuseMuchWork(read.spec);
  return read.spec;
}

function readText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    if (text.length > yamlCharacters) {
      throw new Refusal(
        'malformed',
        `the body is not JSON, and YAML may have at most ${yamlCharacters} characters: send JSON`,
      );
    }
  }
  const read = parseConfigYaml(text);
  if (!('faults' in read)) return read.content;
  const faults = read.faults.map(({ line, message }) => `line ${line} ${message}`);
  throw new Refusal('malformed', `the body ${joinFaults(faults)}`);
}

function refuseMuchWork({ registries }: RegistrySpec): void {
  const patterns = registries.flatMap(({ filter }) => [
    ...(filter?.names?.include ?? []),
    ...(filter?.names?.exclude ?? []),
  ]);
  const characters = patterns.reduce((sum, pattern) => sum + pattern.length, 0);
  if (characters <= patternCharacters) return;
  throw new Refusal(
    'invalid',
    `the patterns of filter.names have ${characters} characters, but a preview accepts at most ${patternCharacters}: preview fewer sources`,
  );
}
