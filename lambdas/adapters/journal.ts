/**
 * Log lines and metrics, by Powertools. Fields are what the archiver chose to say: never an API key, never an event's
 * body, and of an error only its name, code and message.
 */
import type { Logger } from '@aws-lambda-powertools/logger';
import type { Journal } from '../shared/ports';

export function createJournal(logger: Logger): Journal {
  return {
    debug: (message, fields = {}) => logger.debug(message, { ...fields }),
    info: (message, fields = {}) => logger.info(message, { ...fields }),
    warn: (message, fields = {}) => logger.warn(message, { ...fields }),
  };
}
