import { z } from 'zod';
import { present } from '../client-file.js';
import type { ClientFile, ClientSyntax } from '../client-file.js';
import { writeJson } from '../write/json.js';

/** The configuration of one server in the format that most clients share. */
export interface McpServer {
  readonly type?: 'stdio' | 'http' | 'sse';
  readonly command?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly url?: string;
  readonly serverUrl?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Shape {
  readonly syntax: ClientSyntax;
  readonly refuse?: ClientFile<McpServer>['refuse'];
  /** Name of the top-level member that contains the map of servers. The default is `mcpServers`. */
  readonly root?: string;
  /** Whether each server has a `type`. */
  readonly isTyped?: boolean;
  /** Whether a server that is started by a command has `args` even if the list is empty. */
  readonly alwaysArgs?: boolean;
  readonly urlKey?: 'url' | 'serverUrl';
  readonly withoutRemotes?: boolean;
  readonly notes?: ClientFile<McpServer>['notes'];
}

/** Returns the client file for a format of the `mcpServers` family: a map from short name to server. */
export function mcpServersFile(shape: Shape): ClientFile<McpServer> {
  const { syntax, refuse, root = 'mcpServers', isTyped = false, alwaysArgs = false, urlKey = 'url', notes } = shape;
  return {
    syntax,
    ...(refuse && { refuse }),
    ...(notes && { notes }),
    stdio({ command, args, env }, { writer }) {
      const list = writer.list(args);
      return {
        ...(isTyped && { type: 'stdio' as const }),
        command,
        ...(alwaysArgs || list.length > 0 ? { args: list } : {}),
        ...present({ env: writer.map(env, 'env') }),
      };
    },
    ...(!shape.withoutRemotes && {
      remote({ transport, url, headers }, { writer }) {
        return {
          ...(isTyped && { type: transport }),
          [urlKey]: writer.write(url, 'url') as string,
          ...present({ headers: writer.map(headers, 'headers') }),
        };
      },
    }),
    write: (servers) => writeJson({ [root]: Object.fromEntries(servers.map(({ key, server }) => [key, server])) }),
  };
}

export const EVERY_PLACE = new Set(['args', 'env', 'url', 'headers'] as const);

const texts = z.record(z.string(), z.string());
const key = z.string().regex(/^[a-z0-9][a-z0-9-]{1,38}[a-z0-9]$/);

/** The configurations of a stdio server that this family of clients accepts, as we transcribed them (2026-11-30). */
export const stdioServer = (extra: z.ZodRawShape = {}) =>
  z.strictObject({ command: z.string().min(1), args: z.array(z.string()).optional(), env: texts.optional(), ...extra });

export const remoteServer = (extra: z.ZodRawShape = {}, urlKey = 'url') =>
  z.strictObject({ [urlKey]: z.string().regex(/^https?:\/\//), headers: texts.optional(), ...extra });

export const serversByKey = (server: z.ZodType) => z.record(key, server);

/** Returns a check that parses a JSON document and validates it against a schema. */
export function checkJson(schema: z.ZodType): (text: string) => void {
  return (text) => void schema.parse(JSON.parse(text));
}
