import type { ExportOptions } from './export-options.js';
import type { UserInput } from './inputs.js';

/**
 * Generates the placeholder names of one entry. The prefix, the entry's short name, prevents a file of foreign origin
 * from asking for a variable that the user has set for something else.
 */
export class PlaceholderNames {
  readonly #taken = new Set<string>();

  constructor(
    private readonly shortName: string,
    private readonly env: ExportOptions['env'],
  ) {}

  /**
   * Returns a unique placeholder name for an input. If the input is called `plainName`, the name of an environment
   * variable, that name is kept as it is.
   */
  nameOf({ name }: UserInput, plainName?: string): string {
    const plain = plainName === name ? name : toVariableName(name);
    const prefixed = this.env === 'plain' ? plain : `${toVariableName(this.shortName)}__${plain}`;
    const base = /^\d/.test(prefixed) ? `MCP_${prefixed}` : prefixed;
    let result = base;
    for (let number = 2; this.#taken.has(result); number++) result = `${base}_${number}`;
    this.#taken.add(result);
    return result;
  }
}

function toVariableName(text: string): string {
  const name = text
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, '_')
    .replace(/^_|_$/g, '');
  return name === '' ? 'VALUE' : name;
}
