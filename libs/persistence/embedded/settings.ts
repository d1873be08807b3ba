/**
 * What a laptop or a VM gets: the data is the only copy of what users published, so every commit reaches the disk. The log
 * of a large import is written once, though, and not over zeros that were written before it.
 */
const DURABLE = { shared_buffers: '128MB', max_connections: '50', wal_init_zero: 'off' };

/**
 * What a registry's pod gets: the data is rebuilt by the next sync, and memory is short (measured: 52 MB idle).
 * `wal_level=minimal` lets a bulk load into a new table skip the log, and wants no senders.
 */
const REBUILDABLE = {
  shared_buffers: '16MB',
  max_connections: '20',
  wal_level: 'minimal',
  max_wal_senders: '0',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
};

export interface ServerPaths {
  data: string;
  socketDirectory: string;
  port: number;
}

export interface ServerTraits {
  readonly durable: boolean;
  readonly maxConnections?: number;
}

/** The arguments of `postgres`; they win over postgresql.conf, so that a new version of ours needs no edit of old data. */
export function serverArguments(
  { data, socketDirectory, port }: ServerPaths,
  { durable, maxConnections }: ServerTraits,
): string[] {
  const settings = {
    listen_addresses: '',
    port: String(port),
    unix_socket_directories: socketDirectory,
    unix_socket_permissions: '0700',
    // Nothing outside of the data folder outlives a kill -9, and a container's small /dev/shm is no limit.
    dynamic_shared_memory_type: 'mmap',
    // Our queries are short: compiling them takes longer than running them.
    jit: 'off',
    // What is read lies in the page cache: handing it through workers costs two switches a block, and their memory.
    io_method: 'sync',
    log_checkpoints: 'off',
    ...(durable ? DURABLE : REBUILDABLE),
    ...(maxConnections !== undefined && { max_connections: String(maxConnections) }),
  };
  return ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}
