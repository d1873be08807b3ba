import { expect, it } from 'vitest';
import { selectFiles } from './select-files.js';

it.each<[string, readonly string[], readonly string[]]>([
  ['*.json', [], ['a', 'lost+found']],
  ['servers/*.json', [], ['servers/a']],
  ['*/server.json', ['a', 'b'], ['a/b', '.git', 'lost+found']],
  ['s/[a-b]*/x/*.json', ['s/a', 's/bc', 's/a/x'], ['s/c', 's/a/y', 's/a/x/x']],
  ['s/a?/**/x.json', ['s/ab', 's/ab/c/d'], ['s/b', 's/b/c', 's/ab/.git']],
  ['**/*.json', ['a', 'a/b/c', 'a/lost+found'], ['.git', 'a/.git', 'lost+found']],
  ['*/.meta/**', ['a', 'a/.meta', 'a/.meta/b'], ['.git', 'a/b']],
  ['.', ['a', 'a/b'], ['.git', 'lost+found', 'lost+found/a']],
  ['servers', ['servers/a/b'], ['servers/.git', 'servers/lost+found']],
  ['lost+found', ['lost+found/a'], []],
])('%s: enters only folders that may contain a file', (path, entered, others) => {
  const { mayHold } = selectFiles(path);
  expect([...entered, ...others].filter(mayHold)).toEqual(entered);
});
