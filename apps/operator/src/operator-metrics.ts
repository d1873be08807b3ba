/** What the operator tells about itself. */
export interface OperatorFigures {
  readonly registries: number;
  readonly terminating: number;
  readonly backlog: number;
  readonly nudges: number;
  readonly failures: number;
  readonly released: number;
  readonly temporalSilentSeconds: number;
}

const METRICS: readonly (readonly [
  name: string,
  type: 'gauge' | 'counter',
  help: string,
  figure: keyof OperatorFigures,
])[] = [
  ['mcp_operator_registries', 'gauge', 'MCPRegistries in the allowed namespaces.', 'registries'],
  ['mcp_operator_registries_terminating', 'gauge', 'MCPRegistries under deletion.', 'terminating'],
  ['mcp_operator_backlog', 'gauge', 'Workflows that are still to be told of something.', 'backlog'],
  ['mcp_operator_nudges_total', 'counter', 'Times that a workflow was told to look again.', 'nudges'],
  ['mcp_operator_nudge_failures_total', 'counter', 'Times that a workflow could not be told.', 'failures'],
  [
    'mcp_operator_released_without_temporal_total',
    'counter',
    'Registries that were let go while Temporal was away.',
    'released',
  ],
  ['mcp_operator_temporal_silence_seconds', 'gauge', 'Time since Temporal answered last.', 'temporalSilentSeconds'],
];

/** In the text format of Prometheus. */
export function renderMetrics(figures: OperatorFigures): string {
  return METRICS.map(
    ([name, type, help, figure]) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name} ${figures[figure]}\n`,
  ).join('');
}
