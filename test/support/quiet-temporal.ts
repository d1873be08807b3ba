import { pino } from 'pino';
import { installTemporalRuntime } from '#temporal/runtime.js';

/** Importing this module keeps Temporal's log out of the test report. */
export const silent = pino({ level: 'silent' });

installTemporalRuntime(silent);
