import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDocument } from 'yaml';

/**
 * Writes the image of a release, with its digest, to the values of the chart: `pin-chart.mjs CHART REPOSITORY DIGEST`.
 */
const [chart = '', repository = '', digest = ''] = process.argv.slice(2);
if (!/^sha256:[0-9a-f]{64}$/.test(digest)) throw new Error(`${digest || 'the digest'} is not sha256:…`);
const file = join(chart, 'values.yaml');
const values = parseDocument(readFileSync(file, 'utf8'));
values.setIn(['image', 'repository'], repository);
values.setIn(['image', 'digest'], digest);
writeFileSync(file, values.toString({ lineWidth: 0 }));
