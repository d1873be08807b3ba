// Fails if the console exceeds its budget, and prints the size of each file then. Sizes are after gzip -9, in kB of 1000 bytes.
import * as fs from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';

const FOLDER = 'dist/apps/console';

/** Limits of the first screen by type, and of all files together, in bytes. */
const BUDGET = { script: 45_000, style: 10_000, everything: 150_000 };

/** Returns every file of the bundle with its compressed size, and whether the page loads it immediately. */
export function measureConsole(folder = FOLDER) {
  const page = fs.readFileSync(join(folder, 'index.html'), 'utf8');
  return fs.globSync('{index.html,console/*}', { cwd: folder }).map((path) => ({
    path,
    bytes: gzipSync(fs.readFileSync(join(folder, path)), { level: 9 }).length,
    isFirst: path === 'index.html' || page.includes(basename(path)),
  }));
}

/** Returns a sentence for each limit that is exceeded. */
export function findExcess(files) {
  const sum = (wanted) => files.filter(wanted).reduce((total, { bytes }) => total + bytes, 0);
  const sizes = {
    script: sum(({ path, isFirst }) => isFirst && path.endsWith('.js')),
    style: sum(({ path, isFirst }) => isFirst && path.endsWith('.css')),
    everything: sum(() => true),
  };
  return Object.entries(BUDGET)
    .filter(([part, limit]) => sizes[part] > limit)
    .map(([part, limit]) => `the console's ${part} has ${sizes[part]} bytes compressed, ${limit} are allowed`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const files = measureConsole().sort((a, b) => b.bytes - a.bytes);
  const excess = findExcess(files);
  if (excess.length > 0) {
    const line = ({ path, bytes, isFirst }) =>
      `  ${path.padEnd(44)}${(bytes / 1000).toFixed(1).padStart(7)} kB${isFirst ? '  at once' : ''}\n`;
    process.stderr.write(files.map(line).join('') + excess.map((each) => `error: ${each}\n`).join(''));
    process.exit(1);
  }
}
