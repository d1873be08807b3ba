/** Where Temporal's UI is, and the namespace that it shows runs in. */
export interface TemporalUiPlace {
  readonly url: string;
  readonly namespace: string;
}

/** Makes links to runs in Temporal's UI; none where it is not known to have one. */
export class TemporalUi {
  readonly #place: () => TemporalUiPlace | undefined;

  /** `place` is asked at each link: a server may learn of it after its start. */
  constructor(place: () => TemporalUiPlace | undefined = () => undefined) {
    this.#place = place;
  }

  /** Returns the page of a workflow; the UI finds the newest run of an id. */
  urlOf(workflowId: string): string | undefined {
    const place = this.#place();
    if (!place) return undefined;
    const base = place.url.replace(/\/+$/, '');
    return `${base}/namespaces/${encodeURIComponent(place.namespace)}/workflows/${encodeURIComponent(workflowId)}`;
  }
}
