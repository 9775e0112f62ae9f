import { XMLParser } from 'fast-xml-parser';
import { S3Error } from '../errors.ts';

/** An element's content: text, or children in order; a list repeats the element, undefined leaves it out. */
export type Xml = string | number | boolean | undefined | Xml[] | { [name: string]: Xml };

const namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';
const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
// biome-ignore lint/suspicious/noControlCharactersInRegex: keys may hold them, and S3 writes them as references
const special = /[&<>"\u0000-\u001f\u007f-\u009f\ufffe\uffff]/g;

const escapeText = (text: string) => text.replace(special, (char) => escapes[char] ?? `&#x${char.charCodeAt(0).toString(16)};`);

function element(name: string, content: Xml): string {
  if (content === undefined) return '';
  if (Array.isArray(content)) return content.map((item) => element(name, item)).join('');
  if (typeof content !== 'object') return `<${name}>${escapeText(String(content))}</${name}>`;
  return `<${name}>${children(content)}</${name}>`;
}

const children = (content: { [name: string]: Xml }) =>
  Object.entries(content)
    .map(([name, child]) => element(name, child))
    .join('');

/** A document; errors have no namespace. */
export function toXml(root: string, content: { [name: string]: Xml }): string {
  const attribute = root === 'Error' ? '' : ` xmlns="${namespace}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${attribute}>${children(content)}</${root}>`;
}

/** A parsed element: a name's children are always a list, text is always a string. */
export interface Parsed {
  [name: string]: (Parsed | string)[];
}

const parser = new XMLParser({
  ignoreAttributes: true,
  removeNSPrefix: true,
  parseTagValue: false,
  trimValues: false,
  htmlEntities: true, // numeric references too: keys with control characters come so
  isArray: () => true,
});

/** @throws S3Error MalformedXML where it isn't XML with that root */
export function parseXml(text: string, root: string): Parsed {
  try {
    const document = parser.parse(text, true) as Parsed;
    const found = document[root]?.[0];
    if (typeof found === 'object') return found;
    if (found !== undefined) return {};
  } catch (error) {
    throw new S3Error('MalformedXML', undefined, { Reason: (error as Error).message });
  }
  throw new S3Error('MalformedXML');
}

export function text(parent: Parsed | string | undefined, name: string): string | undefined {
  const child = typeof parent === 'object' ? parent[name]?.[0] : undefined;
  return typeof child === 'string' ? child : undefined;
}
