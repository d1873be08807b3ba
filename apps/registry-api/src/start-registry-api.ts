import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { fileURLToPath } from 'node:url';
import { projectRoot } from '#environment/project-root.js';
import { loopbackHostCheck } from '#listener/host-names.js';
import { confirmHeld } from '#persistence/confirm-held.js';
import type { DatabaseAccess } from '#persistence/database-place.js';
import { AccessControl } from './auth/access-control.js';
import type { AuthReferences } from './auth/provider-material.js';
import { defaultCatalogueBudget } from './catalogue/catalogue-budget.js';
import { CatalogueFollower } from './catalogue/catalogue-follower.js';
import { LiveCatalogue } from './catalogue/live-catalogue.js';
import { DatabaseBodies } from './catalogue/database-bodies.js';
import { AnswerMemory } from './http/answer-memory.js';
import { BuildInfo } from './http/build-info.js';
import { ConsoleFiles } from './http/console/console-files.js';
import { ExportRenderer } from './exports/export-renderer.js';
import type { RendererOptions } from './exports/export-renderer.js';
import { ExportTexts } from './exports/export-texts.js';
import { BodyMemory } from './http/body-memory.js';
import { BodySlots } from './http/body-slots.js';
import { HookDeliveries } from './http/hooks/hook-deliveries.js';
import { HOOK_ROUTE } from './http/hooks/hooks.controller.js';
import { startHttpServer } from './http/http-server.js';
import { Revalidations } from './http/revalidations.js';
import { getServedRegistry } from './request-registry.js';
import { PublishedEntries } from './publish/published-entries.js';
import type { ChangeForwarder } from './http/change-forwarder.js';
import type { PeerPods } from './peer-pods.js';
import { API_LIMITS } from './limits.js';
import { Readiness } from './readiness.js';
import type { ReadinessReport } from './readiness.js';
import { RegistryApiModule } from './registry-api.module.js';
import { servedUids } from './served-registry.js';
import type { RegistryDirectory } from './served-registry.js';
import { ServerMetrics } from './server-metrics.js';
import { SourceNudges } from './sync/source-nudges.js';
import { SyncTrigger } from './sync/sync-trigger.js';
import { TemporalUi } from './sync/temporal-ui.js';
import type { TemporalUiPlace } from './sync/temporal-ui.js';
import type { SyncNow } from './sync/sync-trigger.js';
import { ViewDatabase } from '#persistence/view-database.js';

export interface RegistryApiOptions {
  /**
   * The database with the app role: one connection follows the database, and up to four are used for data that is not
   * in memory and for publishing.
   */
  readonly database: DatabaseAccess;
  readonly host: string;
  /** Host names, in addition to localhost, that are accepted by a server on a loopback address. */
  readonly allowedHosts?: readonly string[];
  /** 0 selects any free port. */
  readonly port: number;
  readonly internalPort: number;
  readonly registries: RegistryDirectory;
  /** Reads the Secrets and ConfigMaps that identity providers refer to. */
  readonly references: AuthReferences;
  readonly syncNow: SyncNow;
  /** Forwards requests that change something from a read-only server; absent if the server handles them itself. */
  readonly forwarder?: ChangeForwarder;
  /** Minimum time between two syncs of a source that are triggered by webhooks. */
  readonly minSyncIntervalMs?: number;
  /** Returns the time since which syncs cannot run; undefined while they can. */
  syncsAwaySince?(): Date | undefined;
  /** Why the database cannot be used, as far as the writer knows, in words that every client may see. */
  databaseTrouble?(): string | undefined;
  /** Other pods of the registry; absent if there cannot be any. */
  readonly peers?: Pick<PeerPods, 'syncedSources'>;
  readonly version: { readonly version: string; readonly commit: string; readonly buildDate: string };
  /** Returns the URL of Temporal's UI for links to runs. If absent, there are no links. */
  temporalUi?(this: void): TemporalUiPlace | undefined;
  /** Directory with the built console; by default that of this build. */
  readonly consoleDirectory?: string;
  /** Maximum bytes of documents in memory; by default a share of the process's memory. */
  readonly catalogueBudget?: number;
  /** Maximum bytes of responses that are being sent; by default a share of the process's memory. */
  readonly answerMemoryBytes?: number;
  /** Module and limits of the thread that renders exports. */
  readonly exportRenderer?: RendererOptions;
  /**
   * Maximum time for which the response to a publication waits until reads show the publication; two seconds by
   * default.
   */
  readonly visibleWithinMs?: number;
  readonly logger: Logger;
}

const DEFAULT_MIN_SYNC_INTERVAL_MS = 10_000;

const CONSOLE_DIRECTORY = fileURLToPath(new URL('dist/apps/console', projectRoot));

export interface RegistryApi {
  readonly url: string;
  readonly internalUrl: string;
  readonly catalogue: LiveCatalogue;
  /** Also counts the syncs that run in this process. */
  readonly metrics: ServerMetrics;
  ready(): ReadinessReport;
  /**
   * Returns what this process still waits to load, set up or try. Unlike `ready()`, it does so however long the process
   * has waited.
   */
  awaited(): string | undefined;
  /**
   * Makes the server unready. Requests are still served, but their connections are closed, so that clients move to
   * another pod.
   */
  drain(): void;
  /** Makes the server unready, then stops running requests and closes the connections to the database. Idempotent. */
  close(): Promise<void>;
}

/**
 * Serves the registries over HTTP. Returns as soon as both ports listen, even if the database is unavailable. `ready()`
 * reports what is missing, and recovery is automatic. If a port is in use, throws a RegistryError that contains the
 * port.
 */
export async function startRegistryApi(options: RegistryApiOptions): Promise<RegistryApi> {
  const { registries: directory, host, logger } = options;
  const parts = await createParts(options);
  const { metrics, revalidations } = parts;
  const common = { directory, host, acceptsHost: loopbackHostCheck(host, options.allowedHosts), logger };
  const internal = await startHttpServer({
    ...common,
    module: RegistryApiModule.internal(parts),
    port: options.internalPort,
    portSetting: 'INTERNAL_PORT',
  });
  const validations = new BodySlots(API_LIMITS.concurrentValidations);
  const bodies = new BodyMemory();
  const api = await startHttpServer({
    ...common,
    module: RegistryApiModule.public(parts),
    metrics,
    revalidations,
    answerMemory: parts.answerMemory.memory,
    ...(options.forwarder && { forwarder: options.forwarder }),
    mayWrite: (request, reply) => admitBody(request, reply, { ...parts, validations, bodies }),
    port: options.port,
    portSetting: 'PORT',
  }).catch(async (error: unknown) => {
    await internal.close();
    throw error;
  });
  parts.follower.start();
  return toRegistryApi(parts, api, internal);
}

type Parts = Awaited<ReturnType<typeof createParts>>;

async function createParts(options: RegistryApiOptions) {
  const { registries, references, logger } = options;
  const { version, commit, buildDate } = options.version;
  const { documents, database, publishing } = createPools(options);
  const unsyncedSince = () => earliest(options.syncsAwaySince?.(), follower.readOnlySince);
  const catalogue = new LiveCatalogue(new DatabaseBodies(documents), unsyncedSince);
  const budget = options.catalogueBudget ?? defaultCatalogueBudget();
  const follower: CatalogueFollower = new CatalogueFollower(
    options.database,
    catalogue,
    { budget, served: () => servedUids(registries) },
    logger,
  );
  const accessControl = new AccessControl({ references, version, logger });
  const syncTrigger = new SyncTrigger(options.syncNow, async (registry, source) => {
    catalogue.demandStored(registry);
    await confirmHeld(publishing, registry, source);
  });
  const nudges = new SourceNudges(syncTrigger, logger);
  const pushes = new SourceNudges(syncTrigger, logger, {
    trigger: 'push',
    floorMs: options.minSyncIntervalMs ?? DEFAULT_MIN_SYNC_INTERVAL_MS,
  });
  const hooks = new HookDeliveries(references, pushes, logger);
  const answerMemory = new AnswerMemory(options.answerMemoryBytes);
  const exportTexts = new ExportTexts(answerMemory, logger);
  return {
    catalogue,
    follower,
    revalidations: new Revalidations(catalogue, registries),
    answerMemory,
    documents,
    database,
    publishing,
    readiness: createReadiness(options, { catalogue, follower, accessControl }),
    metrics: new ServerMetrics({
      catalogue,
      access: accessControl.counters,
      ...(options.syncsAwaySince && { syncsAwaySince: () => options.syncsAwaySince?.() }),
      databaseReadOnlySince: () => follower.readOnlySince,
      exportFailures: exportTexts.failures,
      hookSamples: () => hooks.journal.samples(),
    }),
    build: new BuildInfo(version, commit, buildDate),
    exportTexts,
    exportRenderer: new ExportRenderer(answerMemory.memory, options.exportRenderer),
    consoleFiles: await ConsoleFiles.load(options.consoleDirectory ?? CONSOLE_DIRECTORY),
    accessControl,
    syncTrigger,
    nudges,
    pushes,
    hooks,
    temporalUi: new TemporalUi(options.temporalUi),
    published: new PublishedEntries(publishing, catalogue, nudges, logger, options.visibleWithinMs),
    logger,
  };
}

/** Creates a separate connection pool for each use of the database, so that none waits for another. */
function createPools({ database, logger }: RegistryApiOptions) {
  return {
    documents: new ViewDatabase(database, 'documents', logger),
    database: new ViewDatabase(database, 'views', logger),
    publishing: new ViewDatabase(database, 'publishing', logger),
  };
}

interface ReadinessParts {
  readonly catalogue: LiveCatalogue;
  readonly follower: CatalogueFollower;
  readonly accessControl: AccessControl;
}

function createReadiness(
  options: RegistryApiOptions,
  { catalogue, follower, accessControl }: ReadinessParts,
): Readiness {
  return new Readiness(() => ({
    snapshots: catalogue.snapshots,
    fault: options.databaseTrouble?.() ?? follower.fault,
    syncsAwaySince: options.syncsAwaySince?.(),
    readOnlySince: follower.readOnlySince,
    syncedElsewhere: options.peers ? options.peers.syncedSources : 0,
    registries: options.registries.all(),
    providerFaults: accessControl.registriesWithProviderFaults(),
  }));
}

type HttpServer = Awaited<ReturnType<typeof startHttpServer>>;

function toRegistryApi(parts: Parts, api: HttpServer, internal: HttpServer): RegistryApi {
  const { catalogue, metrics, readiness } = parts;
  let closing: Promise<void> | undefined;
  const drain = () => {
    readiness.close();
    api.drain();
  };
  const close = async () => {
    drain();
    // A rendering can take longer than the shutdown of a pod may take, so it is aborted.
    await parts.exportRenderer[Symbol.asyncDispose]();
    // Serve probes until the last API request has been served.
    await api.close();
    await internal.close();
    parts.nudges.stop();
    parts.pushes.stop();
    await parts.accessControl.close();
    await parts.follower.stop();
    await Promise.all([parts.documents, parts.database, parts.publishing].map((pool) => pool.close()));
  };
  return {
    url: api.url,
    internalUrl: internal.url,
    catalogue,
    metrics,
    ready: () => readiness.report(),
    awaited: () => readiness.awaited(),
    drain,
    close: () => (closing ??= close()),
  };
}

function earliest(...times: readonly (Date | undefined)[]): Date | undefined {
  return times.reduce((first, time) => (first && (!time || first <= time) ? first : time), undefined);
}

interface BodyAdmission {
  readonly accessControl: AccessControl;
  readonly hooks: HookDeliveries;
  readonly validations: BodySlots;
  readonly bodies: BodyMemory;
}

/** Decides whether the body of a request may be read. Validations and webhook deliveries need no login. */
async function admitBody(
  request: FastifyRequest,
  reply: FastifyReply,
  { accessControl, hooks, validations, bodies }: BodyAdmission,
): Promise<void> {
  const registry = getServedRegistry(request);
  const { url, config } = request.routeOptions;
  if (url === HOOK_ROUTE) return hooks.admit(registry, (request.params as { name: string }).name, request.raw);
  if (!config.readsByPost && url?.endsWith('/validate') === true) return validations.take(request.raw);
  await accessControl.admit(request, registry, config.readsByPost?.requirement ?? 'write');
  bodies.take(request, reply);
}
