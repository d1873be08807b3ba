import type { YAMLParseError } from 'yaml';

const PHRASES: Partial<Record<YAMLParseError['code'], string>> = {
  BAD_INDENT: 'the indentation is wrong, or a bracket is not closed',
  BLOCK_AS_IMPLICIT_KEY: 'a line contains a second ":": put the value in quotes',
  DUPLICATE_KEY: 'a key appears twice in one object: remove one of them',
  MISSING_CHAR: 'a closing quote or bracket, or a ":" is missing',
  MULTILINE_IMPLICIT_KEY: 'a ":" is missing after a key',
  RESOURCE_EXHAUSTION: 'it is nested too deeply: flatten it',
  TAB_AS_INDENT: 'a tab is used as indentation: use spaces',
};

/**
 * Describes a syntax error without the parser's own message, because that may quote the text around the error, such as
 * a password.
 */
export function yamlErrorPhrase({ code }: Pick<YAMLParseError, 'code'>): string {
  return PHRASES[code] ?? code.toLowerCase().replaceAll('_', ' ');
}
