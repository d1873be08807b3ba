import { expect, it } from 'vitest';
import { databaseOnDefault, defaultDatabaseSpec } from './default-database.js';

const server = defaultDatabaseSpec.parse({ host: 'db' });
const nameFor = (namespace: string, name: string) => databaseOnDefault(server, { namespace, name }).database;

it('gives every registry a database of its own, by namespace and name', () => {
  expect(nameFor('team', 'tools')).toBe('mcp_team_tools');
  expect(nameFor('team-a', 'b')).not.toBe(nameFor('team', 'a-b'));
});

it('gives long names distinct databases within the length limit of Postgres', () => {
  const [long, other] = ['a', 'b'].map((end) => nameFor('n'.repeat(62), `${'r'.repeat(49)}${end}`));
  expect(long).toHaveLength(63);
  expect(other).toHaveLength(63);
  expect(long).not.toBe(other);
  expect(long).toMatch(/_[0-9a-f]{32}$/);
});
