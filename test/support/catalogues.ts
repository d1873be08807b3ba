/** Returns a catalogue in ToolHive's format with `count` image servers. Each `edition` changes every description. */
export function toolhiveCatalogue(count: number, edition = 1): string {
  const servers = Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `server-${String(index).padStart(6, '0')}`,
      {
        description: `Server number ${index}, edition ${edition}`,
        image: `ghcr.io/example/server-${index}:1.0.0`,
        status: 'Active',
        tier: 'Community',
        tools: ['search'],
        tags: index % 2 === 0 ? ['even'] : ['odd'],
        transport: 'stdio',
      },
    ]),
  );
  return JSON.stringify({ version: '1.0.0', last_updated: '2026-11-22T00:00:00Z', servers });
}
