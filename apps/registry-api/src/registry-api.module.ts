import { Module, StandardSchemaValidationPipe } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core';
import type { Logger } from 'pino';
import { AccessControl } from './auth/access-control.js';
import { AccessGuard } from './auth/access.guard.js';
import { Catalogue } from './catalogue/catalogue.js';
import { ExportRenderer } from './exports/export-renderer.js';
import { ExportTexts } from './exports/export-texts.js';
import { BuildInfo } from './http/build-info.js';
import { ConsoleFiles } from './http/console/console-files.js';
import { ErrorFilter } from './http/error.filter.js';
import { internalControllers, publicControllers } from './http/index.js';
import { AnswerMemory } from './http/answer-memory.js';
import { HookDeliveries } from './http/hooks/hook-deliveries.js';
import { CatalogueAnswers } from './http/catalogue-answers.js';
import { CostlyReads } from './http/costly-reads.js';
import { toMalformed } from './http/malformed.js';
import { Revalidations } from './http/revalidations.js';
import { PublishedEntries } from './publish/published-entries.js';
import { Readiness } from './readiness.js';
import { ServerMetrics } from './server-metrics.js';
import { SyncTrigger } from './sync/sync-trigger.js';
import { TemporalUi } from './sync/temporal-ui.js';
import { ViewDatabase } from '#persistence/view-database.js';

/** The dependencies of the endpoints, created by the code that starts the API. */
export interface RegistryApiParts {
  readonly catalogue: Catalogue;
  readonly revalidations: Revalidations;
  readonly answerMemory: AnswerMemory;
  readonly database: ViewDatabase;
  readonly readiness: Readiness;
  readonly metrics: ServerMetrics;
  readonly build: BuildInfo;
  readonly exportTexts: ExportTexts;
  readonly exportRenderer: ExportRenderer;
  readonly consoleFiles: ConsoleFiles;
  readonly accessControl: AccessControl;
  readonly syncTrigger: SyncTrigger;
  readonly hooks: HookDeliveries;
  readonly temporalUi: TemporalUi;
  readonly published: PublishedEntries;
  readonly logger: Logger;
}

@Module({})
export class RegistryApiModule {
  /** The module of the public port. */
  static public(parts: RegistryApiParts): DynamicModule {
    return { module: RegistryApiModule, controllers: publicControllers, providers: providersOf(parts) };
  }

  /** The module of the internal port, which serves probes and metrics. */
  static internal(parts: RegistryApiParts): DynamicModule {
    return { module: RegistryApiModule, controllers: internalControllers, providers: providersOf(parts) };
  }
}

function providersOf({
  catalogue,
  revalidations,
  answerMemory,
  database,
  readiness,
  metrics,
  build,
  exportTexts,
  exportRenderer,
  consoleFiles,
  accessControl,
  syncTrigger,
  hooks,
  temporalUi,
  published,
  logger,
}: RegistryApiParts): NonNullable<DynamicModule['providers']> {
  return [
    { provide: Catalogue, useValue: catalogue },
    { provide: Revalidations, useValue: revalidations },
    { provide: AnswerMemory, useValue: answerMemory },
    CostlyReads,
    CatalogueAnswers,
    { provide: ViewDatabase, useValue: database },
    { provide: Readiness, useValue: readiness },
    { provide: ServerMetrics, useValue: metrics },
    { provide: BuildInfo, useValue: build },
    { provide: ExportTexts, useValue: exportTexts },
    { provide: ExportRenderer, useValue: exportRenderer },
    { provide: ConsoleFiles, useValue: consoleFiles },
    { provide: SyncTrigger, useValue: syncTrigger },
    { provide: HookDeliveries, useValue: hooks },
    { provide: TemporalUi, useValue: temporalUi },
    { provide: PublishedEntries, useValue: published },
    { provide: AccessControl, useValue: accessControl },
    { provide: APP_GUARD, useClass: AccessGuard },
    { provide: APP_PIPE, useValue: new StandardSchemaValidationPipe({ exceptionFactory: toMalformed }) },
    { provide: APP_FILTER, useValue: new ErrorFilter(logger) },
  ];
}
