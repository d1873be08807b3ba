import { CONSOLE_PATH, consoleInfo } from './api/console.js';
import type { ConsoleInfo } from './api/console.js';
import { retryDelay } from './api/poller.js';
import { request } from './api/request.js';
import { resumeSignIn } from './session/resume-sign-in.js';

/** Fetches the data that the page needs first, and completes a sign-in if the provider redirected back here. */
export async function startConsole(): Promise<void> {
  if (await learn()) return;
  void learnLater();
}

async function learnLater(): Promise<void> {
  for (let failures = 1; !consoleInfo.get(); failures++) {
    await new Promise((resolve) => setTimeout(resolve, retryDelay(failures)));
    await learn();
  }
}

/** Fetches the data that the page needs first. Returns whether the server responded. */
async function learn(): Promise<boolean> {
  try {
    const { body } = await request<ConsoleInfo>(CONSOLE_PATH);
    if (body) await resumeSignIn(body);
    consoleInfo.set(body);
    return true;
  } catch {
    return false;
  }
}
