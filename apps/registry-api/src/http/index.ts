import { ArdController } from './ard/ard.controller.js';
import { ConsoleController } from './console/console.controller.js';
import { ExportsController } from './exports.controller.js';
import { FacetsController } from './facets.controller.js';
import { HooksController } from './hooks/hooks.controller.js';
import { MetricsController } from './metrics.controller.js';
import { OpenApiController } from './openapi/openapi.controller.js';
import { ReferenceController } from './openapi/reference.controller.js';
import { EntriesController, PublishController, ValidateController } from './publish.controller.js';
import { OfficialProbesController } from './official-probes.controller.js';
import { OperationsController } from './operations.controller.js';
import { ResourceMetadataController } from './resource-metadata.controller.js';
import { ServersController } from './servers.controller.js';
import { SyncController } from './sync.controller.js';
import { ExplainController } from './views/explain.controller.js';
import { ExtensionRegistriesController } from './views/extension-registries.controller.js';
import { MeController } from './views/me.controller.js';
import { PreviewController } from './views/preview.controller.js';
import { RegistriesController } from './views/registries.controller.js';
import { SourcesController } from './views/sources.controller.js';

/** Controllers for clients. */
export const publicControllers = [
  ServersController,
  FacetsController,
  ExportsController,
  ArdController,
  RegistriesController,
  ExplainController,
  PreviewController,
  MeController,
  SourcesController,
  SyncController,
  HooksController,
  ExtensionRegistriesController,
  ResourceMetadataController,
  PublishController,
  ValidateController,
  EntriesController,
  OperationsController,
  OfficialProbesController,
  OpenApiController,
  ReferenceController,
  ConsoleController,
];

/** Controllers for the cluster, on the internal port. */
export const internalControllers = [OperationsController, MetricsController];
