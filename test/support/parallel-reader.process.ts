import { Agent, get } from 'node:http';

/** Requests every URL of a pattern over a number of connections, discards the bodies, and prints the statuses as JSON. */
const [pattern = '', count = '0', encoding = 'identity', sockets = count] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: Number(sockets) });

function read(url: string): Promise<number> {
  return new Promise((resolve) => {
    const request = get(url, { agent, headers: { 'accept-encoding': encoding } }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    request.on('error', () => resolve(0));
  });
}

const urls = Array.from({ length: Number(count) }, (_, number) => pattern.replaceAll('{n}', String(number)));
const statuses = await Promise.all(urls.map(read));
agent.destroy();
process.stdout.write(JSON.stringify(statuses));
