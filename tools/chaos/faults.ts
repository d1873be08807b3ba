import { setTimeout as sleep } from 'node:timers/promises';
import type { Mishap } from '#api-server/unreliable-proxy.js';
import type { Door } from '#temporal/testing/door.js';
import { HOSTILE_ANSWERS } from './api-upstream.js';
import { findLibFaketime } from './clock.js';
import { HOSTILE_GIT } from './git-upstream.js';
import type { Pod } from './pod.js';
import type { Random } from './random.js';
import type { Rig } from './rig.js';
import { pidsOf } from './start-dependencies.js';
import { freeze, recordedPid } from './supervised-process.js';
import type { SupervisedProcess } from './supervised-process.js';

export interface FaultContext {
  readonly rig: Rig;
  readonly random: Random;
  /** Duration of the fault, for faults that last. */
  readonly ms: number;
  /** Whether the operator, whose memory is checked at the end, may still be killed. */
  readonly mayKillOperator: boolean;
}

/** A kind of fault. */
export interface Fault {
  readonly name: string;
  /** Returns why the fault cannot be injected here; undefined if it can. */
  skipped?(rig: Rig): string | undefined;
  /**
   * Injects the fault, and resolves when it is over. Returns what was done to which process, or undefined if no process
   * was found.
   */
  inject(context: FaultContext): Promise<string | undefined>;
}

const SIGNS_OF_CLOCK = [-7200, -600, -30, 30, 600, 7200];
/** The share of requests that fail while the API server is in trouble. */
const REFUSED_SHARE = 0.7;

export const FAULTS: readonly Fault[] = [
  {
    name: 'kill -9 operator',
    async inject({ rig, mayKillOperator }) {
      if (!mayKillOperator) return undefined;
      rig.parts.operator.kill();
      return 'operator';
    },
  },
  {
    name: 'kill -9 registry server',
    async inject({ rig, random }) {
      const pod = random.pick(rig.pods.filter((each) => !rig.isSteady(each)));
      pod.process?.kill();
      return pod.name;
    },
  },
  {
    name: "kill -9 registry server's own Postgres",
    async inject({ rig, random }) {
      const pod = random.pick(embedded(rig));
      const pid = await recordedPid(pod.databaseRecord ?? '');
      return pid !== undefined && kill(pid) ? pod.name : undefined;
    },
    skipped: (rig) => (embedded(rig).length > 0 ? undefined : 'no server has a Postgres of its own'),
  },
  killing('temporal', 'Temporal'),
  killing('postgres', 'Postgres'),
  killing('apiServer', 'API server'),
  killing('etcd', 'etcd'),
  shutting('Temporal', ({ temporal }) => temporal),
  shutting('Postgres', ({ postgres }) => postgres),
  freezing('operator', async ({ rig }) => [rig.parts.operator.pid]),
  freezing('registry server', async ({ rig, random }) => [random.pick(rig.pods).process?.pid]),
  freezing('Temporal', ({ rig }) => pidsOf(rig.parts.dependencies.temporal)),
  freezing('Postgres', ({ rig }) => pidsOf(rig.parts.dependencies.postgres)),
  troubling('API server answers 429', 'refuse-429'),
  troubling('API server answers 500', 'refuse-500'),
  troubling('API server cuts connections', 'cut'),
  troubling('API server falls silent', 'silence'),
  stepping('operator', ({ rig }) => rig.parts.operator),
  stepping('registry server', ({ rig, random }) => random.pick(rig.pods).process),
  {
    name: 'full disk',
    skipped: (rig) => (withDisk(rig).length > 0 ? undefined : 'mounting a small file system needs root on Linux'),
    async inject({ rig, random, ms }) {
      const pod = random.pick(withDisk(rig));
      await pod.disk?.fill();
      await sleep(ms);
      await pod.disk?.empty();
      return pod.name;
    },
  },
  {
    name: 'hostile registry upstream',
    async inject({ rig, random, ms }) {
      const id = random.pick(served(rig)).idOf('api');
      const [way, answer] = random.pick(Object.entries(HOSTILE_ANSWERS));
      const { api } = rig.parts.upstreams;
      api.behave(id, answer);
      await sleep(ms);
      api.behave(id, undefined);
      return `${id}: ${way}`;
    },
  },
  {
    name: 'hostile git upstream',
    async inject({ rig, random, ms }) {
      const id = random.pick(served(rig)).idOf('git');
      const way = random.pick(HOSTILE_GIT);
      const { git } = rig.parts.upstreams;
      git.behave(id, way);
      await sleep(ms);
      git.behave(id, undefined);
      return `${id}: ${way}`;
    },
  },
];

const embedded = (rig: Rig): Pod[] => rig.pods.filter(({ databaseRecord }) => databaseRecord !== undefined);
const withDisk = (rig: Rig): Pod[] => rig.pods.filter(({ disk }) => disk !== undefined);
const served = (rig: Rig) => rig.registries.slice(0, rig.pods.length);

function killing(which: keyof Rig['parts']['dependencies'], name: string): Fault {
  return {
    name: `kill -9 ${name}`,
    async inject({ rig }) {
      const pid = await recordedPid(rig.parts.dependencies[which].record);
      return pid !== undefined && kill(pid) ? name : undefined;
    },
  };
}

/**
 * Makes a dependency unavailable by shutting the door in front of it: its connections are reset, and new ones are
 * refused.
 */
function shutting(name: string, doorOf: (doors: Rig['parts']['doors']) => Door): Fault {
  return {
    name: `${name} away`,
    async inject({ rig, ms }) {
      const door = doorOf(rig.parts.doors);
      if (!door.isOpen) return undefined;
      await door.shut();
      await sleep(ms);
      await door.open();
      return `${name}, ${seconds(ms)}`;
    },
  };
}

function freezing(name: string, choose: (context: FaultContext) => Promise<(number | undefined)[]>): Fault {
  return {
    name: `${name} frozen`,
    async inject(context) {
      const pids = (await choose(context)).filter((pid) => pid !== undefined);
      await freeze(pids, context.ms);
      return pids.length > 0 ? `${name}, ${seconds(context.ms)}` : undefined;
    },
  };
}

function troubling(name: string, mishap: Mishap): Fault {
  return {
    name,
    async inject({ rig, ms }) {
      const { proxy } = rig.parts;
      // These random numbers do not come from the seed, because the number of requests depends on the processes.
      proxy.decide = () => (Math.random() < REFUSED_SHARE ? mishap : 'none');
      if (mishap === 'cut') proxy.cutWatches();
      await sleep(ms);
      proxy.decide = () => 'none';
      return seconds(ms);
    },
  };
}

function stepping(name: string, processOf: (context: FaultContext) => SupervisedProcess | undefined): Fault {
  return {
    name: `clock of ${name} steps`,
    skipped: () => (findLibFaketime() === undefined ? 'libfaketime is not installed' : undefined),
    async inject(context) {
      const process = processOf(context);
      if (!process?.clock) return undefined;
      const step = context.random.pick(SIGNS_OF_CLOCK);
      await process.clock.step(step);
      await sleep(context.ms);
      await process.clock.step(0);
      return `${process.name}, ${step} s`;
    },
  };
}

function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
