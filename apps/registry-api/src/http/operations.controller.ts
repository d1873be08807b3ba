import { Controller, Get, Header, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { Public } from '../auth/requirement.js';
import { SYNCED_SOURCES_HEADER } from '../peer-pods.js';
import { Readiness } from '../readiness.js';
import { BuildInfo } from './build-info.js';
import { ApiOperations } from './openapi/operation.js';
import { Problem } from './problem.js';

const PROBE = { method: 'get', tag: 'Operations', isPublic: true } as const;

/** Serves the endpoints for probes and operators, on the public and on the internal port. */
@Public()
@ApiOperations(() => [
  {
    ...PROBE,
    path: '/health',
    id: 'health',
    summary: 'Reports whether the process is alive',
    success: { status: 200, answer: 'Health' },
  },
  {
    ...PROBE,
    path: '/readiness',
    id: 'readiness',
    summary: 'Reports whether the server can answer requests',
    success: { status: 200, answer: 'Readiness' },
    problems: [503],
  },
  {
    ...PROBE,
    path: '/version',
    id: 'version',
    summary: 'Reports the running version',
    success: { status: 200, answer: 'Version' },
  },
])
@Controller()
export class OperationsController {
  constructor(
    private readonly readiness: Readiness,
    private readonly build: BuildInfo,
  ) {}

  @Get('health')
  @Header('cache-control', 'no-store')
  health(): object {
    return { status: 'healthy' };
  }

  @Get('readiness')
  @Header('cache-control', 'no-store')
  ready(@Res({ passthrough: true }) reply: FastifyReply): object {
    const report = this.readiness.report();
    if (!report.ready) throw new Problem(503, report.reason, { 'retry-after': '2' });
    void reply.header(SYNCED_SOURCES_HEADER, this.readiness.syncedSources());
    return { status: 'ready', ...(report.detail !== undefined && { detail: report.detail }) };
  }

  @Get('version')
  @Header('cache-control', 'no-store')
  version(): object {
    return {
      version: this.build.version,
      commit: this.build.commit,
      build_date: this.build.buildDate,
      node_version: process.version,
      platform: `${process.platform}/${process.arch}`,
    };
  }
}
