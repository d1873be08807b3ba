import { stringify } from 'yaml';
import { customResourceDefinition } from '#spec/custom-resource-definition.js';

export function renderCustomResourceDefinition(): string {
  // Without aliases: people search in it, and not every reader of YAML resolves them.
  const document = stringify(customResourceDefinition(), { aliasDuplicateObjects: false, lineWidth: 120 });
  return `# Generated from libs/spec by \`npm run generate\`: edits are lost.\n${document}`;
}
