// Compiles everything and bundles the workflows, unless nothing has changed since the last build. `--force` starts from
// scratch.
import { createHash } from 'node:crypto';
// A namespace import, because Node 20 has no globSync: a named import would fail before the error about the old version
// is printed.
import * as fs from 'node:fs';
import { runStep } from './run-step.mjs';

const STAMP = 'dist/.build-stamp';
const [major] = process.versions.node.split('.').map(Number);
if (major < 24) {
  const isWithoutPackage = fs.existsSync('node_modules/.installed') && !fs.existsSync('node_modules/node/bin/node');
  const remedy = isWithoutPackage
    ? `no packaged Node 24 exists for ${process.platform} ${process.arch}: install Node 24`
    : 'npm run build installs and uses a newer one';
  process.stderr.write(`error: Node ${process.version} is too old; ${remedy}\n`);
  process.exit(1);
}

const inputs = fs
  .globSync([
    '{apps,workflows,activities,libs,tools}/**/*.{ts,mjs,json}',
    'apps/console/**/*.{tsx,css,svg,html}',
    'tsconfig*.json',
    'package.json',
    'package-lock.json',
  ])
  .filter((path) => !path.endsWith('.test.ts'))
  .sort();
const sum = createHash('sha256').update(process.version);
for (const path of inputs) {
  const { mtimeMs, size } = fs.statSync(path);
  sum.update(`${path} ${mtimeMs} ${size}\n`);
}
const stamp = sum.digest('hex');
// With `--force`, delete all outputs, because the incremental compiler does not rewrite those that were edited or
// removed by hand.
if (process.argv.includes('--force')) fs.rmSync('dist', { recursive: true, force: true });
if (stampedWith(stamp)) process.exit(0);

fs.rmSync(STAMP, { force: true });
removeOrphans();
// Types are checked by `npm run check`. Checking them here would more than double the duration of the first `npm
// start`.
await run('compiling', ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--noCheck']);
// The compiler does not copy files that no code imports.
for (const path of fs.globSync('apps/registry-api/**/*.json')) fs.copyFileSync(path, `dist/${path}`);
await run('bundling the workflows', ['dist/tools/bundle-workflows.js']);
// Without this setting, a build started by a test would bundle for development.
process.env.NODE_ENV = 'production';
await run('bundling the console', ['node_modules/vite/bin/vite.js', 'build', 'apps/console', '--logLevel', 'warn']);
await run('measuring the console', ['tools/console-budget.mjs']);
fs.writeFileSync(STAMP, stamp);

function stampedWith(wanted) {
  try {
    return fs.readFileSync(STAMP, 'utf8') === wanted;
  } catch {
    return false;
  }
}

/** Removes the outputs of deleted sources, because they could still be imported. The bundler empties its own folder. */
function removeOrphans() {
  const sources = new Set(inputs.map((path) => path.replace(/\.ts$/, '')));
  const outputs = fs.globSync('dist/{apps,workflows,activities,libs,tools,test}/**/*.js');
  for (const output of outputs.filter((path) => !path.startsWith('dist/apps/console/'))) {
    const source = output.slice('dist/'.length, -'.js'.length);
    if (!sources.has(source))
      for (const ending of ['.js', '.js.map']) fs.rmSync(`dist/${source}${ending}`, { force: true });
  }
}

async function run(text, args) {
  const code = await runStep(text, process.execPath, args);
  if (code !== 0) process.exit(code);
}
