/**
 * The flags with which the image starts its processes, and the heap size that V8 chooses in a pod of 512 MiB, the
 * default of the chart and of pods.
 */
export const POD_HEAP_FLAGS = ['--max-semi-space-size=2', '--max-old-space-size=256'];

/** The same flags for `serve`. */
export const SERVER_HEAP_FLAGS = [...POD_HEAP_FLAGS, '--initial-old-space-size=80'];
