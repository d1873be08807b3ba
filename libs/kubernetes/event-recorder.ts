import { hash } from 'node:crypto';
import type { RegistryRef } from '#domain/registry-ref.js';
import { shortened } from '#domain/shortened.js';
import type { StatusEvent } from '#domain/status/status-events.js';
import { kinds } from './kinds.js';
import type { KubernetesApi } from './kubernetes-api.js';
import type { KubernetesObject } from './kubernetes-object.js';

/** The same thing is told again only after so long. */
const QUIET_MS = 10 * 60_000;
/** As the API server has it. */
const MESSAGE_LIMIT = 1024;
const COMPONENT = 'toolhive-operator';

interface Told {
  readonly count: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/**
 * Tells what happens to registries as Kubernetes Events. Events are counted in the name of what they say, so that two
 * operators which say the same write one; those of the last minutes are remembered, so that nothing is told too often.
 */
export class EventRecorder {
  private readonly told = new Map<string, Told>();

  constructor(
    private readonly api: KubernetesApi,
    /** Events are for people: one that cannot be written must not hold up anything. */
    private readonly onFailure: (registry: RegistryRef, error: unknown) => void,
    private readonly now: () => number = Date.now,
  ) {}

  async record(registry: RegistryRef, events: readonly StatusEvent[]): Promise<void> {
    for (const event of events) {
      try {
        await this.tell(registry, event);
      } catch (error) {
        this.onFailure(registry, error);
      }
    }
  }

  private async tell(registry: RegistryRef, event: StatusEvent): Promise<void> {
    const key = hash('sha256', [registry.uid, event.reason, event.message].join('\n')).slice(0, 16);
    const nowMs = this.now();
    this.forgetBefore(nowMs - QUIET_MS);
    const before = this.told.get(key);
    if (before && nowMs - before.lastAtMs < QUIET_MS) return;
    const told = { count: (before?.count ?? 0) + 1, firstAtMs: before?.firstAtMs ?? nowMs, lastAtMs: nowMs };
    await this.api.apply(toEvent(registry, event, key, told));
    this.told.delete(key);
    this.told.set(key, told);
  }

  /** The oldest stand first. A message that is gone for an hour may count anew. */
  private forgetBefore(timeMs: number): void {
    for (const [key, { lastAtMs }] of this.told) {
      if (lastAtMs >= timeMs - 5 * QUIET_MS) break;
      this.told.delete(key);
    }
  }
}

function toEvent(
  { namespace, name, uid }: RegistryRef,
  { type, reason, message }: StatusEvent,
  key: string,
  { count, firstAtMs, lastAtMs }: Told,
): KubernetesObject {
  const event = {
    apiVersion: kinds.Event.apiVersion,
    kind: 'Event',
    metadata: { namespace, name: `${name}.${key}` },
    involvedObject: { apiVersion: kinds.MCPRegistry.apiVersion, kind: 'MCPRegistry', namespace, name, uid },
    type,
    reason,
    message: shortened(message, MESSAGE_LIMIT),
    source: { component: COMPONENT },
    count,
    firstTimestamp: rfc3339(firstAtMs),
    lastTimestamp: rfc3339(lastAtMs),
  };
  return event;
}

/** Kubernetes' Time has seconds. */
function rfc3339(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
