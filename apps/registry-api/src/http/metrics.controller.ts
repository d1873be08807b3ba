import { Controller, Get, Header } from '@nestjs/common';
import { Public } from '../auth/requirement.js';
import { ServerMetrics } from '../server-metrics.js';

/** Serves the metrics to Prometheus, on the internal port. */
@Public()
@Controller()
export class MetricsController {
  constructor(private readonly metrics: ServerMetrics) {}

  @Get('metrics')
  @Header('cache-control', 'no-store')
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  show(): string {
    return this.metrics.format();
  }
}
