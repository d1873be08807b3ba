import { stringify } from 'yaml';
import { customResourceDefinition } from '#spec/custom-resource-definition.js';

export function renderCustomResourceDefinition(): string {
  // Avoid YAML aliases, because people search in the file, and not every YAML reader resolves them.
  const document = stringify(customResourceDefinition(), { aliasDuplicateObjects: false, lineWidth: 120 });
  return `# Generated from libs/spec by \`npm run generate\`: edits are lost.\n${document}`;
}
