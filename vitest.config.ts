import { defineConfig } from 'vitest/config';

/** Native modules want processes; starting and ending servers takes its time. */
const onRealServers = {
  globalSetup: ['test/support/global-setup.ts'],
  pool: 'forks' as const,
  // Most take seconds; a machine that others use as well may stand still for longer than that.
  testTimeout: 120_000,
  hookTimeout: 120_000,
};

export default defineConfig({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    // Most tests wait for servers rather than for a core.
    maxWorkers: 4,
    maxConcurrency: 30,
    reporters: ['default', './test/support/summary-reporter.ts'],
    projects: [
      {
        extends: true,
        test: {
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
        test: { ...onRealServers, name: 'contract', include: ['test/contract/**/*.test.ts'], testTimeout: 600_000 },
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
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
