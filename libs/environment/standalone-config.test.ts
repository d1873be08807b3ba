import { describe, expect, it } from 'vitest';
import { parseStandaloneArguments } from './standalone-arguments.js';
import { parseStandaloneConfig } from './standalone-config.js';

describe('the command line of a standalone process', () => {
  it('uses the sample by default', () => {
    expect(parseStandaloneArguments([])).toEqual({
      arguments: { paths: ['deploy/samples/quickstart.yaml'], volumes: new Map(), help: false },
    });
  });

  it('contains files, directories and volumes in any order', () => {
    const args = ['a.yaml', '--volume', 'data=./catalogue', 'manifests', '--volume=other=/srv/a=b', '--', '--odd.yaml'];
    expect(parseStandaloneArguments(args)).toEqual({
      arguments: {
        paths: ['a.yaml', 'manifests', '--odd.yaml'],
        volumes: new Map([
          ['data', './catalogue'],
          ['other', '/srv/a=b'],
        ]),
        help: false,
      },
    });
  });

  it('is rejected with all errors at once', () => {
    const args = [
      '--volumes=a=b',
      '-x',
      '--volume',
      'data',
      '--volume=Data=/x',
      '--volume=a=/x',
      '--volume=a=/y',
      '--volume',
    ];
    expect(parseStandaloneArguments(args)).toEqual({
      faults: [
        '--volumes: is not an option: did you mean --volume?',
        '-x: is not an option: see --help',
        '--volume data: must be CLAIM=DIR, such as --volume registry-data=./data',
        '--volume Data=/x: must be CLAIM=DIR, such as --volume registry-data=./data',
        '--volume a: is given twice: remove one of them',
        '--volume: must be CLAIM=DIR, such as --volume registry-data=./data',
      ],
    });
  });

  it('and the environment are one configuration', () => {
    expect(parseStandaloneConfig(['a.yaml'], { PORT: '9000' })).toMatchObject({
      config: { paths: ['a.yaml'], port: 9000, volumes: new Map() },
    });
  });

  it('and the environment report their errors together', () => {
    expect(parseStandaloneConfig(['--nope'], { PORT: 'x' })).toEqual({
      faults: [expect.stringMatching(/^--nope/), expect.stringMatching(/^PORT/)],
    });
  });

  it.each(['--help', '-h'])('prints the help for %s, whatever the environment contains', (flag) => {
    expect(parseStandaloneConfig([flag], { PORT: 'x' })).toEqual({ help: true });
  });
});
