import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { SyncRun } from '../api/sources.js';
import { formats } from '../format.js';
import { niceMaximum, OUTCOMES, toColumns } from '../runs.js';
import { words } from '../words.js';

const HEIGHT = 110;
const CHANGES_HEIGHT = 80;
const AXIS_WIDTH = 56;
/** Bars are never wider than that, however few there are. */
const WIDEST_BAR = 28;

/** Two plots of the same runs with one cursor: how long each took, coloured by outcome, and what it changed. */
export class RunsPlot {
  private readonly plots: readonly uPlot[];
  private readonly observer: ResizeObserver;

  /** `onPoint` is called with the index of the run below the pointer, oldest first. */
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

  /** Takes runs newest first. */
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
  /** The lowest end that the vertical axis may have. */
  readonly least: number;
  format(value: number): string;
  onPoint(index: number | undefined): void;
}

function plotOf({ place, width, height, label, fills, axis, grid, least, format, onPoint }: PlotOptions): uPlot {
  const font = `11px ${getComputedStyle(place).fontFamily}`;
  const paths = uPlot.paths.bars!({ size: [0.7, WIDEST_BAR], align: 0 });
  const options: uPlot.Options = {
    width,
    height,
    padding: [8, 0, 4, 0],
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

/** A canvas knows no custom properties and no `light-dark()`: the browser computes what it is right now. */
function resolveColour(place: HTMLElement, name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  place.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
