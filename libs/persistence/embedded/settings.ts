/**
 * Settings for a laptop or a VM. The data is the only copy of what users published, so every commit is forced to disk.
 * The log is not filled with zeros first, so that the log of a large import is written only once.
 */
const DURABLE = { shared_buffers: '128MB', max_connections: '50', wal_init_zero: 'off' };

/**
 * Settings for a registry's pod. The data is rebuilt by the next sync, and memory is scarce (measured: 52 MB when
 * idle). `wal_level=minimal` lets a bulk load into a new table skip the log; it requires that there are no WAL senders.
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

/**
 * Returns the command-line arguments of `postgres`. They take precedence over postgresql.conf, so that a new version of
 * this program can use existing data without an edit.
 */
export function serverArguments(
  { data, socketDirectory, port }: ServerPaths,
  { durable, maxConnections }: ServerTraits,
): string[] {
  const settings = {
    listen_addresses: '',
    port: String(port),
    unix_socket_directories: socketDirectory,
    unix_socket_permissions: '0700',
    // With mmap, nothing is left outside the data folder after a kill -9, and the small /dev/shm of a container is not
    // a limit.
    dynamic_shared_memory_type: 'mmap',
    // The queries are short, and compiling them would take longer than running them.
    jit: 'off',
    // Reads are served from the page cache. Workers would cost two context switches per block, plus their memory.
    io_method: 'sync',
    log_checkpoints: 'off',
    ...(durable ? DURABLE : REBUILDABLE),
    ...(maxConnections !== undefined && { max_connections: String(maxConnections) }),
  };
  return ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}
