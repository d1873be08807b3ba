import type { GeneratedLoad } from './generator.js';
import { load, percentile } from './load.js';

/** The child process of generator.ts. */
process.once('message', (options: GeneratedLoad) => void answer(options));

async function answer({ requests, ...options }: GeneratedLoad): Promise<void> {
  const before = process.cpuUsage();
  const result = await load({ ...options, request: (n) => requests[n % requests.length] as string });
  const { user, system } = process.cpuUsage(before);
  const [p50, p99] = [percentile(result, 0.5), percentile(result, 0.99)];
  process.send?.({ requests: result.requests, seconds: result.seconds, p50, p99, cpuSeconds: (user + system) / 1e6 });
}
