/** The files of the web page: in `console/` beside the bundled handler, or in the repository. */
import { readFile } from 'node:fs/promises';

const folders = [new URL('./console/', import.meta.url), new URL('../../console/', import.meta.url)];

const types: Record<string, string> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  mjs: 'text/javascript; charset=utf-8',
  json: 'application/json',
  svg: 'image/svg+xml',
};

/** @param name below `console/`; the page itself where it is empty. @returns undefined where there is no such file */
export async function consoleFile(name: string): Promise<{ type: string; text: string } | undefined> {
  const file = name === '' ? 'index.html' : name;
  const type = types[file.slice(file.lastIndexOf('.') + 1)];
  // Plain names only, so that no path leads out of the folder.
  if (type === undefined || !/^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/.test(file)) return undefined;
  for (const folder of folders) {
    try {
      return { type, text: await readFile(new URL(file, folder), 'utf8') };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return undefined;
}
