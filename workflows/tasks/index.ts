import type { RegistryLife } from '../registry-life.js';
import { adoptTask } from './adopt.js';
import { cancelTask } from './cancel.js';
import { provisionTask } from './provision.js';
import { readTask } from './read.js';
import { reportTask } from './report.js';
import { syncTask } from './sync.js';
import type { Task } from './task.js';

/** The tasks in the order in which they are checked. */
export const TASKS: readonly Task<RegistryLife>[] = [
  readTask,
  provisionTask,
  adoptTask,
  syncTask,
  cancelTask,
  reportTask,
];
