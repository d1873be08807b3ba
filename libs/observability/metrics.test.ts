import { expect, it } from 'vitest';
import { counted, DurationHistogram, formatMetrics, observed, totalsOf } from './metrics.js';

it('writes the format that Prometheus reads', () => {
  const took = new DurationHistogram<'route'>('took_seconds', 'How long it took.');
  const series = took.with({ route: '/a' });
  for (const seconds of [0.0004, 0.002, 0.002, 1000]) series.observe(seconds);
  expect(took.with({ route: '/a' })).toBe(series);
  const held = observed('held', 'What is held.', () => [
    [{ by: 'a "b"\\\n' }, 2],
    [{ by: 'c' }, 0.5],
  ]);
  const age = observed('age_seconds', 'Its age.', () => [[{}, 1]]);
  const seen = counted('seen_total', 'How many.', () => [[{}, 5]]);
  const text = formatMetrics([took, totalsOf('took_total', 'How often.', took), held, age, seen]);
  expect(text.split('\n')).toEqual(
    expect.arrayContaining([
      '# HELP took_seconds How long it took.',
      '# TYPE took_seconds histogram',
      'took_seconds_bucket{route="/a",le="0.0005"} 1',
      'took_seconds_bucket{route="/a",le="0.001"} 1',
      'took_seconds_bucket{route="/a",le="0.0025"} 3',
      'took_seconds_bucket{route="/a",le="300"} 3',
      'took_seconds_bucket{route="/a",le="+Inf"} 4',
      'took_seconds_sum{route="/a"} 1000.0044',
      'took_seconds_count{route="/a"} 4',
      '# TYPE took_total counter',
      'took_total{route="/a"} 4',
      '# TYPE held gauge',
      String.raw`held{by="a \"b\"\\\n"} 2`,
      'held{by="c"} 0.5',
      'age_seconds 1',
      '# TYPE seen_total counter',
      'seen_total 5',
    ]),
  );
  expect(text.endsWith('\n')).toBe(true);
});
