import { createProgress } from '#devstack/progress.js';
import type { Progress } from '#devstack/progress.js';
import type { RegistryFacts, SourceFacts } from '#domain/status/registry-facts.js';
import type { RegistryView } from '#spec/server-config.js';
import { describeChanges } from '#domain/describe-changes.js';
import { formatDuration } from '#domain/go-duration.js';
import { count } from '#domain/zod-wording.js';
import { displayRef } from '#domain/registry-ref.js';
import type { RegistryRef } from '#domain/registry-ref.js';
import type { SyncOutcome } from '#domain/sync.js';
import { formatDocumentFault } from './documents/document-fault.js';
import type { DocumentFault } from './documents/document-fault.js';

export interface ConsoleStreams {
  stdout(text: string): void;
  stderr(text: string): void;
}

export interface KnownRegistry {
  readonly ref: RegistryRef;
  readonly facts: RegistryFacts | undefined;
  /** Names of the sources that are synced when their content changes. */
  readonly watched: ReadonlySet<string>;
  /** Names of the sources that fail only because this machine has no network. */
  readonly offline: ReadonlySet<string>;
  /** The views under which sources are served. If absent, each source is served under its own name. */
  readonly views?: readonly RegistryView[] | undefined;
}

/** Facts that are fetched after a run has finished. */
export interface AfterRun {
  findFacts(): Promise<RegistryFacts | undefined>;
  /** Returns whether the only cause of the failure is a missing network. */
  isOffline(): Promise<boolean>;
}

/** Prints progress to a terminal: an animated line during the start, a table when ready, and then a line per sync. */
export class ConsoleReport implements Progress {
  private readonly progress = createProgress();
  private told = '';
  /** Failure message of the last run of each source. */
  private readonly failures = new Map<string, string | undefined>();
  private isReady = false;
  private isStopping = false;

  constructor(private readonly streams: ConsoleStreams) {}

  step(text: string): void {
    if (!this.isStopping) this.progress.step(text);
  }

  done(): void {
    this.progress.done();
  }

  /** Prints a last line; later ones are suppressed. */
  stopping(): void {
    this.isStopping = true;
    this.progress.done();
    this.streams.stderr('stopping');
  }

  /** Prints errors and notices of the manifests, each set only once. */
  documents(faults: readonly DocumentFault[], notices: readonly DocumentFault[]): void {
    const lines = [
      ...faults.map((fault) => `error: ${formatDocumentFault(fault)}`),
      ...notices.map((notice) => `note: ${formatDocumentFault(notice)}`),
    ];
    const text = lines.join('\n');
    if (text === this.told) return;
    this.told = text;
    this.progress.done();
    this.streams.stderr(text || 'the manifests have no errors any more');
  }

  ready(
    registries: readonly KnownRegistry[],
    { api, temporal }: { api: string; temporal: { address: string; uiUrl: string | undefined } },
  ): void {
    this.progress.done();
    const rows = registries.flatMap(({ ref, facts, watched, offline, views }, index) =>
      (facts?.sources ?? []).map((source) => [
        displayRef(ref),
        source.name,
        phaseOf(source, offline),
        String(source.serverCount ?? '-'),
        nextOf(source, watched),
        sourceUrl(api, index === 0 ? undefined : ref, views, source.name),
      ]),
    );
    this.streams.stdout(`\nConsole ${api}/`);
    this.streams.stdout(`\n${table(['REGISTRY', 'SOURCE', 'PHASE', 'SERVERS', 'NEXT SYNC', 'URL'], rows)}\n`);
    for (const { ref, facts, offline } of registries) {
      for (const source of facts?.sources ?? []) {
        const trouble = offline.has(source.name) ? describeOffline(source) : troubleOf(source);
        if (trouble) this.streams.stdout(`${displayRef(ref)} ${source.name}: ${trouble}`);
      }
    }
    if (temporal.uiUrl !== undefined) this.streams.stdout(`Temporal UI ${temporal.uiUrl} (server ${temporal.address})`);
    this.streams.stdout(`ready ${api}`);
    this.isReady = true;
  }

  /**
   * Prints one line per sync. A repeated failure is not explained again, and a missing network is reported only once.
   * Prints nothing before "ready", because the table contains it.
   */
  run(registry: RegistryRef, outcome: SyncOutcome, after: AfterRun): void {
    const key = `${registry.uid}/${outcome.source}`;
    const isAgain = outcome.failure !== undefined && this.failures.get(key) === outcome.failure.message;
    this.failures.set(key, outcome.failure?.message);
    if (!this.isReady || this.isStopping) return;
    void this.printRun(registry, outcome, isAgain, after);
  }

  private async printRun(
    registry: RegistryRef,
    outcome: SyncOutcome,
    isAgain: boolean,
    after: AfterRun,
  ): Promise<void> {
    const [facts, isOffline] = await Promise.all([
      after.findFacts().catch(() => undefined),
      outcome.failure?.reason === 'Unreachable' && after.isOffline(),
    ]);
    if (isOffline && isAgain) return;
    const source = facts?.sources.find(({ name }) => name === outcome.source);
    const head = `${clock(outcome.finishedAt)} ${displayRef(registry)} ${outcome.source} (${outcome.trigger})`;
    const next = source?.nextSyncAtMs === undefined ? '' : `, next sync ${clock(source.nextSyncAtMs)}`;
    this.streams.stdout(`${head}: ${isOffline ? describeOffline(source) : describe(outcome, next, isAgain)}`);
  }
}

function describeOffline(source: SourceFacts | undefined): string {
  const next = source?.nextSyncAtMs;
  return next === undefined ? 'no network: will try again' : `no network: will try again at ${clock(next)}`;
}

function describe(outcome: SyncOutcome, next: string, isAgain: boolean): string {
  const { failure, counts, revision, notice, startedAt, finishedAt } = outcome;
  if (failure && isAgain) return `failed again${next}: ${failure.reason}`;
  if (failure) return `failed${next}: ${failure.reason}: ${failure.message}`;
  const took = formatDuration(finishedAt - startedAt);
  if (!counts) return `unchanged at ${short(revision)} in ${took}${next}`;
  const text = `${count(counts.served, 'server')} (${describeChanges(counts) || 'none changed'}) at ${short(revision)} in ${took}${next}`;
  return notice === undefined ? text : `${text}; ${notice.message}`;
}

function troubleOf({ failure, running, lastSyncAtMs }: SourceFacts): string | undefined {
  if (failure) return `${failure.reason}: ${failure.message}`;
  if (lastSyncAtMs === undefined && running) return `still trying since ${clock(running.sinceMs)}`;
  return undefined;
}

function phaseOf(source: SourceFacts, offline: ReadonlySet<string>): string {
  if (source.running) return 'Syncing';
  if (source.failure && offline.has(source.name)) return 'Waiting';
  if (source.failure) return 'Failed';
  return source.lastSyncAtMs === undefined ? 'Pending' : 'Complete';
}

function nextOf({ name, nextSyncAtMs, running }: SourceFacts, watched: ReadonlySet<string>): string {
  if (running) return 'running';
  if (nextSyncAtMs === undefined) return watched.has(name) ? 'on change' : 'on trigger';
  return nextSyncAtMs <= Date.now() ? 'now' : clock(nextSyncAtMs);
}

/** Returns the URL at which a source is served: under its own name, or in the first view that contains it. */
function sourceUrl(api: string, ref: RegistryRef | undefined, views: KnownRegistry['views'], source: string): string {
  const name = views ? views.find(({ sources }) => sources.includes(source))?.name : source;
  return name === undefined ? '-' : `${api}${ref ? `/${ref.namespace}/${ref.name}` : ''}/registry/${name}/v0.1/servers`;
}

/** Shortens a git commit or another hash to its first characters. */
function short(revision: string | undefined): string {
  return revision?.replace(/^[0-9a-f]{16,}$/, (hash) => hash.slice(0, 12)) ?? '-';
}

/** Returns the time of day, preceded by the date unless that is today's. */
function clock(timeMs: number): string {
  const [time, now] = [new Date(timeMs), new Date()];
  const hour = time.toTimeString().slice(0, 8);
  if (time.toDateString() === now.toDateString()) return hour;
  const [month, day] = [time.getMonth() + 1, time.getDate()].map((part) => String(part).padStart(2, '0'));
  return `${time.getFullYear()}-${month}-${day} ${hour}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
