// Writes a PNG of every page of the console to a folder, for three widths and two themes. Usage: npm run console:shots
// -- OUT
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

const [out] = process.argv.slice(2);
if (out === undefined) {
  process.stderr.write('Usage: npm run console:shots -- OUT\n');
  process.exit(2);
}
const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', '--project', 'shots'], {
  stdio: 'inherit',
  env: { ...process.env, CONSOLE_SHOTS: resolve(out) },
});
process.exit(status ?? 1);
