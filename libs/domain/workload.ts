/** The state of the Deployment that runs a registry's server, according to the cluster. */
export interface WorkloadFacts {
  /** Hash of the pod template that the Deployment has now; the pods carry it as REGISTRY_POD_HASH. */
  readonly podHash?: string;
  /** The number of ready pods, of any pod template. */
  readonly readyReplicas: number;
  /** The read-only servers, if there are any. */
  readonly readers?: ReaderFacts;
  /** A pod of that very template is ready. */
  readonly live: boolean;
  /** The pod that is to become ready next, if it exists. */
  readonly awaited?: string;
  /** Why it is not there or not ready, in the cluster's own words. */
  readonly trouble?: string;
}

/** The state of the Deployment that runs the read-only servers of a registry. */
export interface ReaderFacts {
  readonly replicas: number;
  readonly readyReplicas: number;
  /** Label selector of the pods. */
  readonly selector: string;
}

/** A server that runs but cannot store and serve yet says why. */
export interface ServerTrouble<Reason extends string = string> {
  readonly pod: string;
  readonly reason: Reason;
  readonly message: string;
}
