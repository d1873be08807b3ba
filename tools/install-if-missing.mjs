// Runs on any Node version, before anything is installed, so keep the syntax plain and old-fashioned.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { runStep } from './run-step.mjs';

const MARKER = 'node_modules/.installed';
const wanted = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex');

if (!existsSync(MARKER) || readFileSync(MARKER, 'utf8') !== wanted) {
  const code = await runStep('installing packages', 'npm', ['ci', '--no-progress', '--no-audit', '--no-fund']);
  if (code !== 0) {
    process.stderr.write('error: npm could not install the packages; see its output above\n');
    process.exit(code);
  }
  writeFileSync(MARKER, wanted);
}
