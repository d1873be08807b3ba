import type { LoggerService } from '@nestjs/common';
import type { Logger } from 'pino';

/**
 * Writes the messages of Nest to the log of the process. The list of routes that Nest prints at its start is logged at
 * debug level only.
 */
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
