import { hash } from 'node:crypto';
import type { RegistryRef } from '#domain/registry-ref.js';
import { shortened } from '#domain/shortened.js';
import type { StatusEvent } from '#domain/status/status-events.js';
import { kinds } from './kinds.js';
import type { KubernetesApi } from './kubernetes-api.js';
import type { KubernetesObject } from './kubernetes-object.js';

/** Minimum time between two writes of the same Event (throttle). */
const QUIET_MS = 10 * 60_000;
/** The maximum length of a message that the API server accepts. */
const MESSAGE_LIMIT = 1024;
const COMPONENT = 'toolhive-operator';

/** How often and when an Event was written. */
interface Series {
  readonly count: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/**
 * Records what happens to registries as Kubernetes Events. The name of an Event is derived from its content, so that
 * two operators that report the same thing write the same object. Recent Events are remembered, so that none is
 * repeated too often.
 */
export class EventRecorder {
  /** The series by Event name, least recently written first. */
  private readonly recent = new Map<string, Series>();

  constructor(
    private readonly api: KubernetesApi,
    /** Called if an Event cannot be written. Events are informational, so a failure does not block anything. */
    private readonly onFailure: (registry: RegistryRef, error: unknown) => void,
    private readonly now: () => number = Date.now,
  ) {}

  async record(registry: RegistryRef, events: readonly StatusEvent[]): Promise<void> {
    for (const event of events) {
      try {
        await this.write(registry, event);
      } catch (error) {
        this.onFailure(registry, error);
      }
    }
  }

  private async write(registry: RegistryRef, event: StatusEvent): Promise<void> {
    const key = hash('sha256', [registry.uid, event.reason, event.message].join('\n')).slice(0, 16);
    const nowMs = this.now();
    this.forgetBefore(nowMs - QUIET_MS);
    const before = this.recent.get(key);
    if (before && nowMs - before.lastAtMs < QUIET_MS) return;
    const series = { count: (before?.count ?? 0) + 1, firstAtMs: before?.firstAtMs ?? nowMs, lastAtMs: nowMs };
    await this.api.apply(toEvent(registry, event, key, series));
    this.recent.delete(key);
    this.recent.set(key, series);
  }

  /** Forgets old series: if an Event has not been repeated for an hour, its count starts at one again. */
  private forgetBefore(timeMs: number): void {
    for (const [key, { lastAtMs }] of this.recent) {
      if (lastAtMs >= timeMs - 5 * QUIET_MS) break;
      this.recent.delete(key);
    }
  }
}

function toEvent(
  { namespace, name, uid }: RegistryRef,
  { type, reason, message }: StatusEvent,
  key: string,
  { count, firstAtMs, lastAtMs }: Series,
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

/** Formats a time as Kubernetes does, without fractions of a second. */
function rfc3339(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
