/** One thing that is to be done now. */
export interface Errand {
  /** Tells it apart from other errands of the task that may be under way at the same time. */
  readonly key: string;
  /** Must not reject. */
  run(): Promise<void>;
}

/** One of the tasks that the life of a registry consists of: what of it is due, and how that is done. */
export interface Task<Life> {
  readonly name: TaskName;
  due(life: Life, nowMs: number): readonly Errand[];
}

export type TaskName = 'read' | 'provision' | 'adopt' | 'sync' | 'cancel' | 'report';
