import { parseEnvironment } from './environment.js';
import type { StandaloneEnvironment } from './environment.js';
import { parseStandaloneArguments } from './standalone-arguments.js';
import type { StandaloneArguments } from './standalone-arguments.js';

/** The configuration of a standalone process, in addition to its manifests. */
export type StandaloneConfig = StandaloneEnvironment & Omit<StandaloneArguments, 'help'>;

/**
 * Parses the configuration, once at the start. Returns the errors of command line and environment together. `--help`
 * does not read the environment.
 */
export function parseStandaloneConfig(
  args: readonly string[],
  variables: Readonly<Record<string, string | undefined>> = process.env,
): { config: StandaloneConfig } | { faults: string[] } | { help: true } {
  const commandLine = parseStandaloneArguments(args);
  if ('arguments' in commandLine && commandLine.arguments.help) return { help: true };
  const environment = parseEnvironment(variables);
  if ('faults' in commandLine || 'faults' in environment) {
    return { faults: [commandLine, environment].flatMap((part) => ('faults' in part ? part.faults : [])) };
  }
  const { paths, volumes } = commandLine.arguments;
  return { config: { ...environment.environment, paths, volumes } };
}
