import { useState } from 'preact/hooks';
import { announce } from '../announce.js';
import { useMayWrite } from '../api/me.js';
import { request, RequestFault } from '../api/request.js';
import { expectSync } from '../api/sources.js';
import { words } from '../words.js';
import { SyncIcon } from './icons.js';
import { Text } from './text.js';

interface SyncButtonProps {
  /** Path to post to: that of a source, or that of the registry for all of its sources. */
  readonly path: string;
  readonly label: string;
  readonly isSyncing: boolean;
  /** Called when a sync has started. */
  onStarted(): void;
}

/**
 * A button that starts a sync, shown if the caller may do so. Nothing else on this page changes anything on the server.
 */
export function SyncButton({ path, label, isSyncing, onStarted }: SyncButtonProps) {
  const mayWrite = useMayWrite();
  const [isAsking, setAsking] = useState(false);
  const [fault, setFault] = useState<string>();
  if (!mayWrite) return null;
  const start = async () => {
    setAsking(true);
    setFault(undefined);
    try {
      const { body } = await request<{ readonly syncs: readonly unknown[] }>(path, { method: 'POST' });
      announce(words.sync.started(body?.syncs.length ?? 0));
      expectSync();
      onStarted();
    } catch (error) {
      const refusal = words.sync.refused(error instanceof RequestFault ? error.message : String(error));
      setFault(refusal);
      announce(refusal);
    } finally {
      setAsking(false);
    }
  };
  return (
    <span class="sync-now">
      <button type="button" disabled={isAsking || isSyncing} onClick={() => void start()}>
        <SyncIcon /> {isSyncing ? words.sync.running : isAsking ? words.sync.requested : label}
      </button>
      {fault !== undefined && (
        <span class="refusal">
          <Text limit={500}>{fault}</Text>
        </span>
      )}
    </span>
  );
}
