import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'pino';

/** What Nest has to say goes into the process's log; the list of routes that it prints at start only at debug level. */
export class NestLogger implements LoggerService {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  log(message: unknown, context?: unknown): void {
    this.#logger.debug({ context, nest: message }, 'framework message');
  }

  warn(message: unknown, context?: unknown): void {
    this.#logger.warn({ context, nest: message }, 'framework warning');
  }

  error(message: unknown, stack?: unknown, context?: unknown): void {
    this.#logger.error({ context, nest: message, stack }, 'framework error');
  }
}
