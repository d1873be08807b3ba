import { defineConfig } from 'vitest/config';

/** Most take milliseconds or seconds; a machine that others use as well may stand still for longer than that. */
const patience = (ms: number) => ({ testTimeout: ms, hookTimeout: ms });

/** Native modules want processes. */
const onRealServers = { ...patience(300_000), globalSetup: ['test/support/global-setup.ts'], pool: 'forks' as const };

export default defineConfig({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    // Most tests wait for servers rather than for a core.
    maxWorkers: 4,
    maxConcurrency: 30,
    expect: { poll: { timeout: 60_000 } },
    reporters: ['default', './test/support/summary-reporter.ts'],
    projects: [
      {
        extends: true,
        test: {
          ...patience(120_000),
          name: 'unit',
          include: ['{apps,workflows,activities,libs,tools}/**/*.test.ts'],
        },
      },
      {
        extends: true,
        test: { ...onRealServers, name: 'integration', include: ['test/integration/**/*.test.ts'] },
      },
      {
        extends: true,
        test: { ...onRealServers, name: 'record', include: ['test/histories/record.ts'] },
      },
      {
        extends: true,
        test: { ...onRealServers, name: 'shots', include: ['test/shots/console.ts'] },
      },
      {
        extends: true,
        test: { ...onRealServers, name: 'contract', include: ['test/contract/**/*.test.ts'], testTimeout: 1_200_000 },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/e2e/global-setup.ts'],
          pool: 'forks',
          // Pods share the cores of one node.
          fileParallelism: false,
          ...patience(300_000),
        },
      },
    ],
  },
});
