import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { generated } from './index.js';

/** Writes every generated file. With `--check`, lists the files that differ instead. */
export async function main(args: readonly string[]): Promise<number> {
  const outdated: string[] = [];
  for (const { path, render } of generated) {
    const wanted = await render();
    if ((await readFile(path, 'utf8').catch(() => undefined)) !== wanted) outdated.push(path);
    if (args.includes('--check')) continue;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, wanted);
  }
  for (const path of outdated) process.stdout.write(args.includes('--check') ? `${path} is outdated\n` : `${path}\n`);
  if (!args.includes('--check') || outdated.length === 0) return 0;
  process.stderr.write('error: run `npm run generate` and commit what it writes\n');
  return 1;
}
