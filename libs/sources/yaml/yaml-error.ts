import type { YAMLParseError } from 'yaml';

const PHRASES: Partial<Record<YAMLParseError['code'], string>> = {
  BAD_INDENT: 'the indentation is wrong, or a bracket is not closed',
  BLOCK_AS_IMPLICIT_KEY: 'a second ":" stands in a line: put the value in quotes',
  DUPLICATE_KEY: 'a key stands twice in one object: remove one of them',
  MISSING_CHAR: 'a closing quote or bracket, or a ":" is missing',
  MULTILINE_IMPLICIT_KEY: 'a ":" is missing after a key',
  TAB_AS_INDENT: 'a tab is used as indentation: use spaces',
};

/** Describes a syntax error without the parser's own message, which may quote the text around it, such as a password. */
export function yamlErrorPhrase({ code }: Pick<YAMLParseError, 'code'>): string {
  return PHRASES[code] ?? code.toLowerCase().replaceAll('_', ' ');
}
