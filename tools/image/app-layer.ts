import { chmod, copyFile, cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { projectRoot } from '#environment/project-root.js';

const ROOT = fileURLToPath(projectRoot);
/**
 * The parts of dist that go into the image. `tools`, and the code that only tools and tests share, are needed only in
 * the checkout.
 */
const COMPILED = ['apps', 'workflows', 'activities', 'libs', 'workflow-bundle.js'];
const COMMANDS = { 'mcp-registry': 'entrypoint.sh', ssh: 'ssh.sh' };

/** Writes the files that change with every commit below `root`: the compiled project and its commands. */
export async function layOutApp(root: string): Promise<void> {
  const [app, bin] = [join(root, 'app'), join(root, 'usr/local/bin')];
  for (const part of COMPILED) {
    await cp(join(ROOT, 'dist', part), join(app, 'dist', part), {
      recursive: true,
      filter: (path) => !/\.map$|\.test\.js$|\/testing$/.test(path),
    });
  }
  await copyFile(join(ROOT, 'package.json'), join(app, 'package.json'));
  await cp(join(ROOT, 'deploy/samples'), join(app, 'deploy/samples'), { recursive: true });
  await mkdir(bin, { recursive: true });
  for (const [command, script] of Object.entries(COMMANDS)) {
    await copyFile(join(ROOT, 'deploy/docker', script), join(bin, command));
    await chmod(join(bin, command), 0o755);
  }
}
