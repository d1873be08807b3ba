/** A unit of work that is due now. */
export interface Errand {
  /** Distinguishes this errand from others of the same task that may run at the same time. */
  readonly key: string;
  /** Executes the errand. Must not reject. */
  run(): Promise<void>;
}

/** One of the tasks in the life of a registry, which determines what is due and how to do it. */
export interface Task<Life> {
  readonly name: TaskName;
  due(life: Life, nowMs: number): readonly Errand[];
}

export type TaskName = 'read' | 'provision' | 'adopt' | 'sync' | 'cancel' | 'report';
