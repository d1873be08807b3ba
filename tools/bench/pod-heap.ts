/** As the image starts its processes, with the heap that V8 gives itself in a pod of 512 MiB, the default of chart and pods. */
export const POD_HEAP_FLAGS = ['--max-semi-space-size=2', '--max-old-space-size=256'];

/** The same for `serve`. */
export const SERVER_HEAP_FLAGS = [...POD_HEAP_FLAGS, '--initial-old-space-size=80'];
