import { stringify } from 'yaml';

/** Returns YAML of the core schema; texts that could be read as another type are quoted, lines are never folded. */
export function writeYaml(value: unknown): string {
  return stringify(value, { schema: 'core', lineWidth: 0, aliasDuplicateObjects: false });
}
