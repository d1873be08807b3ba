// Runs tools/generate from its TypeScript sources: a check should not have to wait for a build.
import { runnerImport } from 'vite';

const resolve = { conditions: ['source'] };
const { module } = await runnerImport('./tools/generate/main.ts', {
  configFile: false,
  logLevel: 'error',
  environments: { inline: { resolve } },
});
process.exitCode = await module.main(process.argv.slice(2));
