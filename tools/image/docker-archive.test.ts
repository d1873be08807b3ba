import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { projectRoot } from '#environment/project-root.js';
import { writeDockerArchive } from './docker-archive.js';
import { imageConfig } from './image-config.js';

const run = promisify(execFile);
const fileOf = (path: string) => fileURLToPath(new URL(path, projectRoot));
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'docker-archive-'));
});

afterEach(() => rm(directory, { recursive: true }));

it('an image contains its layers in order, each under its digest, and the same content gives the same bytes', async () => {
  const layers = await Promise.all(
    ['lower', 'upper'].map(async (name) => {
      await writeFile(join(directory, `${name}.tar`), name);
      return join(directory, `${name}.tar`);
    }),
  );
  const image = { name: 'localhost/a:b', layers, config: { User: '65532:65532' }, architecture: 'amd64' };
  const [first, second] = [join(directory, 'first.tar'), join(directory, 'second.tar')];
  await writeDockerArchive(first, image);
  await writeDockerArchive(second, image);
  expect((await readFile(first)).equals(await readFile(second))).toBe(true);

  await mkdir(join(directory, 'read'));
  await run('tar', ['-xf', first, '-C', join(directory, 'read')]);
  const read = (name: string) => readFile(join(directory, 'read', name), 'utf8');
  const [{ Config, RepoTags, Layers }] = JSON.parse(await read('manifest.json'));
  expect(RepoTags).toEqual(['localhost/a:b']);
  expect(await Promise.all(Layers.map(read))).toEqual(['lower', 'upper']);
  const config = await read(Config);
  expect(Config).toBe(`${createHash('sha256').update(config).digest('hex')}.json`);
  expect(JSON.parse(config)).toMatchObject({
    architecture: 'amd64',
    os: 'linux',
    config: image.config,
    rootfs: { diff_ids: Layers.map((layer: string) => `sha256:${layer.replace('.tar', '')}`) },
  });
});

describe('the image', () => {
  it('has the same configuration with and without a docker engine', async () => {
    const dockerfile = await readFile(fileOf('deploy/docker/Dockerfile'), 'utf8');
    const { User, WorkingDir, Entrypoint, Env } = imageConfig({ commit: '$BUILD_COMMIT', date: '$BUILD_DATE' });
    expect(dockerfile).toContain(`USER ${User}\n`);
    expect(dockerfile).toContain(`WORKDIR ${WorkingDir}\n`);
    expect(dockerfile).toContain(`ENTRYPOINT ${JSON.stringify(Entrypoint)}\n`);
    for (const variable of Env) expect(dockerfile).toContain(` ${variable}`);
  });

  it('copies a pgpass file without Node, readable only by its owner, any number of times', async () => {
    const [from, to] = [join(directory, 'mounted'), join(directory, '.pgpass')];
    await writeFile(from, 'host:5432:registry:db_app:secret\n');
    await chmod(from, 0o440);
    for (let time = 0; time < 2; time++) {
      await run('sh', [fileOf('deploy/docker/entrypoint.sh'), 'setup-pgpass', from, to], {
        env: { PATH: '/usr/bin:/bin' },
      });
      expect(await readFile(to, 'utf8')).toBe('host:5432:registry:db_app:secret\n');
      expect((await stat(to)).mode & 0o777).toBe(0o600);
    }
  });
});
