/** What stands for a missing value in a file or a request, in lower case; compared with text trimmed and lowered. As cleaning reads them. */
export const missingTokens: readonly string[] = [
  '',
  'na',
  'n/a',
  '#n/a',
  '#na',
  '<na>',
  'null',
  'none',
  'nan',
  '-nan',
  'nil',
  '?',
  '-',
  '--',
  '.',
  'missing',
];
