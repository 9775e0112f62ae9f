/** What every process that the laptop cloud starts gets of this machine: nothing of the user's own environment, credentials least of all. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { region } from './template/template.ts';

export function machineEnvironment(home: string): Record<string, string> {
  const temporary = join(home, 'tmp');
  mkdirSync(temporary, { recursive: true });
  return {
    PATH: process.env['PATH'] ?? '',
    ...(process.env['SystemRoot'] && { SystemRoot: process.env['SystemRoot'] }),
    TMPDIR: temporary,
    TEMP: temporary,
    LANG: 'en_US.UTF-8',
    TZ: 'UTC',
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EC2_METADATA_DISABLED: 'true',
    // Of use to every home: bundles are named by their content.
    NODE_COMPILE_CACHE: join(import.meta.dirname, '../.build/compile-cache'),
  };
}
