type LabelValues = Readonly<Record<string, string>>;

interface Metric {
  readonly name: string;
  lines(): Iterable<string>;
}

/**
 * Upper bounds of the buckets in seconds. The lowest are for cached responses, and the highest exceeds the timeouts of
 * most clients.
 */
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** A Prometheus histogram of durations with labels. */
export class DurationHistogram<Label extends string> implements Metric {
  readonly #series = new Map<string, DurationSeries>();

  constructor(
    readonly name: string,
    private readonly help: string,
  ) {}

  /** Returns the series with these labels. Callers that observe often should keep the result. */
  with(labels: Readonly<Record<Label, string>>): DurationSeries {
    const text = formatLabels(labels);
    let series = this.#series.get(text);
    if (!series) this.#series.set(text, (series = new DurationSeries()));
    return series;
  }

  *lines(): Iterable<string> {
    yield* head(this.name, this.help, 'histogram');
    for (const [labels, series] of this.#series) {
      let count = 0;
      for (const [index, limit] of SECONDS.entries()) {
        count += series.counts[index] as number;
        yield `${this.name}_bucket{${labels},le="${limit}"} ${count}`;
      }
      yield `${this.name}_bucket{${labels},le="+Inf"} ${series.count}`;
      yield `${this.name}_sum{${labels}} ${series.sum}`;
      yield `${this.name}_count{${labels}} ${series.count}`;
    }
  }

  /** Yields the number of observations for each set of labels. */
  *totals(): Iterable<readonly [labels: string, count: number]> {
    for (const [labels, series] of this.#series) yield [labels, series.count];
  }
}

export class DurationSeries {
  readonly counts = new Float64Array(SECONDS.length);
  count = 0;
  sum = 0;

  observe(seconds: number): void {
    this.count++;
    this.sum += seconds;
    const index = SECONDS.findIndex((limit) => seconds <= limit);
    if (index >= 0) this.counts[index] = (this.counts[index] as number) + 1;
  }
}

type Look = () => Iterable<readonly [labels: LabelValues, value: number]>;

/** Defines a gauge whose values are read when metrics are scraped. */
export function observed(name: string, help: string, look: Look): Metric {
  return sampled('gauge', name, help, look);
}

/** Defines a counter whose values are read when metrics are scraped. */
export function counted(name: string, help: string, look: Look): Metric {
  return sampled('counter', name, help, look);
}

function sampled(type: 'gauge' | 'counter', name: string, help: string, look: Look): Metric {
  return {
    name,
    *lines() {
      yield* head(name, help, type);
      for (const [labels, value] of look()) {
        const text = formatLabels(labels);
        yield `${name}${text && `{${text}}`} ${value}`;
      }
    },
  };
}

/** Defines a counter that reports the number of observations of a histogram. */
export function totalsOf(name: string, help: string, histogram: DurationHistogram<string>): Metric {
  return {
    name,
    *lines() {
      yield* head(name, help, 'counter');
      for (const [labels, count] of histogram.totals()) yield `${name}{${labels}} ${count}`;
    },
  };
}

/** Formats metrics in the Prometheus text format, version 0.0.4. */
export function formatMetrics(metrics: readonly Metric[]): string {
  return `${metrics.flatMap((metric) => [...metric.lines()]).join('\n')}\n`;
}

function head(name: string, help: string, type: string): readonly string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

function formatLabels(labels: LabelValues): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replaceAll(/["\\]/g, String.raw`\$&`).replaceAll('\n', String.raw`\n`)}"`)
    .join();
}
