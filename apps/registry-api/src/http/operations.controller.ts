import { Controller, Get, Header } from '@nestjs/common';
import { Public } from '../auth/requirement.js';
import { Readiness } from '../readiness.js';
import { BuildInfo } from './build-info.js';
import { Problem } from './problem.js';

/** What probes and people ask: on the public port and on the internal one. */
@Public()
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
  ready(): object {
    const report = this.readiness.report();
    if (!report.ready) throw new Problem(503, report.reason, { 'retry-after': '2' });
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
