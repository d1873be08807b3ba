// Runs tools/generate directly from its TypeScript sources, so that checks do not have to wait for a build.
import { runnerImport } from 'vite';

const resolve = { conditions: ['source'] };
const { module } = await runnerImport('./tools/generate/main.ts', {
  configFile: false,
  logLevel: 'error',
  environments: { inline: { resolve } },
});
try {
  process.exitCode = await module.main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = 1;
}
