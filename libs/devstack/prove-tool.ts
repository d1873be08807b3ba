import type { Tool } from './tool.js';
import { runCommand } from './run-command.js';

const answerMs = 20_000;

/** Throws an error with the reason if `path` cannot be used as this tool. The only accepted proof is to run it. */
export async function proveTool(tool: Tool, path: string, signal: AbortSignal): Promise<void> {
  const version = await ask(path, ['--version'], signal);
  if (tool.oldest) {
    const [said, major, minor] = tool.oldest.pattern.exec(version) ?? [];
    if (!said) throw new Error(`${path} does not print its version: ${firstLine(version)}`);
    const age = Number(major) - tool.oldest.major || Number(minor) - tool.oldest.minor;
    const needed = `${tool.oldest.major}.${tool.oldest.minor}`;
    if (age < 0) throw new Error(`${path} is too old (${said}; needed: ${needed})`);
    if (age > 0 && tool.oldest.only) throw new Error(`${path} is too new (${said}; needed: ${needed})`);
  }
  for (const { args, says } of tool.proofs) {
    const answer = await ask(path, args, signal);
    const missing = says.find((pattern) => !pattern.test(answer));
    if (missing) throw new Error(`${path} ${args.join(' ')} does not know ${missing.source}`);
  }
}

async function ask(path: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  try {
    return await runCommand(path, [...args], { signal, timeoutMs: answerMs });
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`${path} ${args.join(' ')} does not run: ${(error as Error).message}`, { cause: error });
  }
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}
