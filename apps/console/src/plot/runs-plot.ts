import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { SyncRun } from '../api/sources.js';
import { formats } from '../format.js';
import { niceMaximum, OUTCOMES, toColumns } from '../runs.js';
import { words } from '../words.js';

const HEIGHT = 116;
const CHANGES_HEIGHT = 84;
const AXIS_WIDTH = 56;
/** Maximum width of a bar, however few there are. */
const WIDEST_BAR = 28;
/** Steps of an axis of counts, which are whole numbers only. */
const WHOLE_STEPS = [1, 2, 5]
  .flatMap((step) => Array.from({ length: 8 }, (_, power) => step * 10 ** power))
  .sort((a, b) => a - b);

/** Two plots of the same runs with a shared cursor: the durations, coloured by outcome, and the changes. */
export class RunsPlot {
  private readonly plots: readonly uPlot[];
  private readonly observer: ResizeObserver;

  /** `onPoint` is called with the index of the run under the pointer, counted from the oldest. */
  constructor(place: HTMLElement, runs: readonly SyncRun[], onPoint: (index: number | undefined) => void) {
    const colour = (name: string) => resolveColour(place, name);
    const common = { width: place.clientWidth, place, onPoint };
    const durations = plotOf({
      ...common,
      height: HEIGHT,
      label: words.runs.durationChart,
      format: (seconds) => formats.duration(seconds * 1000),
      least: 0.1,
      fills: OUTCOMES.map((outcome) => colour(`--${outcome}`)),
      axis: colour('--muted'),
      grid: colour('--line'),
    });
    const changes = plotOf({
      ...common,
      height: CHANGES_HEIGHT,
      label: words.runs.changesChart,
      format: (entries) => formats.number(entries),
      least: 4,
      steps: WHOLE_STEPS,
      fills: ['--added', '--updated', '--removed'].map(colour),
      axis: colour('--muted'),
      grid: colour('--line'),
    });
    this.plots = [durations, changes];
    this.show(runs);
    this.observer = new ResizeObserver(() => {
      for (const plot of this.plots) plot.setSize({ width: place.clientWidth, height: plot.height });
    });
    this.observer.observe(place);
  }

  /** Shows these runs, which must be sorted newest first. */
  show(runs: readonly SyncRun[]): void {
    const { index, durationSeconds, changes } = toColumns(runs);
    const [first, second] = this.plots;
    first?.setData([index, ...OUTCOMES.map((outcome) => durationSeconds[outcome])]);
    second?.setData([index, changes.added, changes.updated, changes.removed]);
  }

  destroy(): void {
    this.observer.disconnect();
    for (const plot of this.plots) plot.destroy();
  }
}

interface PlotOptions {
  readonly place: HTMLElement;
  readonly width: number;
  readonly height: number;
  readonly label: string;
  readonly fills: readonly string[];
  readonly axis: string;
  readonly grid: string;
  /** Minimum upper bound of the vertical axis. */
  readonly least: number;
  /** Allowed distances between ticks of the vertical axis. Default: any. */
  readonly steps?: number[];
  format(value: number): string;
  onPoint(index: number | undefined): void;
}

function plotOf({ place, width, height, label, fills, axis, grid, least, steps, format, onPoint }: PlotOptions): uPlot {
  const font = `11px ${getComputedStyle(place).fontFamily}`;
  const paths = uPlot.paths.bars!({ size: [0.7, WIDEST_BAR], align: 0 });
  const options: uPlot.Options = {
    width,
    height,
    padding: [8, 0, 8, 0],
    legend: { show: false },
    cursor: { sync: { key: 'runs' }, points: { show: false }, drag: { x: false, y: false }, y: false },
    scales: {
      x: { time: false, range: (_, low, high) => [Math.min(low ?? 0, 0) - 0.6, Math.max(high ?? 0, 1) + 0.6] },
      y: { range: (_, __, high) => [0, niceMaximum(high ?? 0, least)] },
    },
    axes: [
      { show: false },
      {
        size: AXIS_WIDTH,
        font,
        stroke: axis,
        label,
        labelSize: 16,
        labelFont: font,
        space: 32,
        ...(steps && { incrs: steps }),
        grid: { stroke: grid, width: 1 },
        ticks: { show: false },
        values: (_, ticks) => ticks.map(format),
      },
    ],
    series: [{}, ...fills.map((fill): uPlot.Series => ({ fill, width: 0, paths, points: { show: false } }))],
    hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? undefined)] },
  };
  return new uPlot(options, [[]], place);
}

/**
 * Resolves a colour for a canvas, which supports neither custom properties nor `light-dark()`, by letting the browser
 * compute its current value.
 */
function resolveColour(place: HTMLElement, name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  place.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
