/** The state of the Deployment of a registry's server, according to the cluster. */
export interface WorkloadFacts {
  /** Hash of the Deployment's current pod template, which its pods have in the variable REGISTRY_POD_HASH. */
  readonly podHash?: string;
  /** Number of ready pods, whatever their pod template. */
  readonly readyReplicas: number;
  /** Number of pods that the Deployment requests; absent if there is no Deployment. */
  readonly wantedReplicas?: number;
  /** State of the read-only servers, if there are any. */
  readonly readers?: ReaderFacts;
  /** Whether a pod of the current template is ready. */
  readonly live: boolean;
  /** Name of the pod that should become ready next, if it exists. */
  readonly awaited?: string;
  /** Why the pod is missing or not ready, in the words of the cluster. */
  readonly trouble?: string;
}

/** The state of the Deployment of a registry's read-only servers. */
export interface ReaderFacts {
  readonly replicas: number;
  readonly readyReplicas: number;
  /** Label selector of the pods. */
  readonly selector: string;
}

/** The reason why a running server cannot store and serve yet. */
export interface ServerTrouble<Reason extends string = string> {
  readonly pod: string;
  readonly reason: Reason;
  readonly message: string;
}
