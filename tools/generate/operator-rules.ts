import { readFile } from 'node:fs/promises';

const ROLE = 'deploy/manifests/operator-role.yaml';

/** The rules of the operator's role, for the chart: it gives the role a name of its own. */
export async function renderOperatorRules(): Promise<string> {
  const role = await readFile(ROLE, 'utf8');
  return `# Generated from ${ROLE} by \`npm run generate\`: edits are lost.\n${role.slice(role.indexOf('rules:'))}`;
}
