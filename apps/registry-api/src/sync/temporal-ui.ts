import { trimmedEnd } from '#domain/trimmed-end.js';

/** URL of Temporal's UI, and the namespace of the runs. */
export interface TemporalUiPlace {
  readonly url: string;
  readonly namespace: string;
}

/** Creates links to runs in Temporal's UI; none if no UI is known. */
export class TemporalUi {
  readonly #place: () => TemporalUiPlace | undefined;

  /** `place` is called for each link, because a server may learn the URL after its start. */
  constructor(place: () => TemporalUiPlace | undefined = () => undefined) {
    this.#place = place;
  }

  /** Returns the URL of a workflow's page. The UI finds the newest run of an id. */
  urlOf(workflowId: string): string | undefined {
    const place = this.#place();
    if (!place) return undefined;
    const base = trimmedEnd(place.url, '/');
    return `${base}/namespaces/${encodeURIComponent(place.namespace)}/workflows/${encodeURIComponent(workflowId)}`;
  }
}
