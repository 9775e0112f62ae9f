/** The route table of a REST API: resources compiled once into a tree; a static part goes before `{name}`, that before `{name+}`. */
import type { LambdaFunction } from '../lambda/function.ts';

export interface Method {
  resource: string;
  resourceId: string;
  keyRequired: boolean;
  /** Whether it is for those alone whom IAM allows it, so that requests are signed. */
  signed: boolean;
  integration: Integration;
}

export interface ProxyIntegration {
  type: 'AWS_PROXY';
  lambda: LambdaFunction;
  timeoutMs: number;
}

export type Integration = ProxyIntegration | { type: 'MOCK'; status: number; headers: Record<string, string>; body: string };

export interface Match {
  method: Method;
  parameters: Record<string, string> | null;
}

interface RouteNode {
  children: Map<string, RouteNode>;
  parameter?: { name: string; node: RouteNode };
  greedy?: { name: string; node: RouteNode };
  /** By HTTP method, or `ANY`. */
  methods: Map<string, Method>;
}

const newNode = (): RouteNode => ({ children: new Map(), methods: new Map() });

/** Paths that were matched lately; most clients ask the same few. */
const cacheLimit = 1000;

export class Routes {
  readonly #root = newNode();
  readonly #methods: Method[] = [];
  readonly #cache = new Map<string, Match>();

  add(path: string, httpMethod: string, method: Method): void {
    let node = this.#root;
    for (const part of path.split('/').filter(Boolean)) {
      const name = /^\{(.+?)(\+?)\}$/.exec(part);
      if (!name) {
        if (!node.children.has(part)) node.children.set(part, newNode());
        node = node.children.get(part)!;
      } else {
        const kind = name[2] ? 'greedy' : 'parameter';
        node[kind] ??= { name: name[1]!, node: newNode() };
        node = node[kind].node;
      }
    }
    node.methods.set(httpMethod, method);
    this.#methods.push(method);
  }

  all(): readonly Method[] {
    return this.#methods;
  }

  /** What answers a path (percent-encoded, without stage and query). */
  find(httpMethod: string, path: string): Match | undefined {
    const key = `${httpMethod} ${path}`;
    const cached = this.#cache.get(key);
    if (cached) return cached;
    const match = this.#walk(httpMethod, path);
    if (match) {
      if (this.#cache.size >= cacheLimit) this.#cache.clear();
      this.#cache.set(key, match);
    }
    return match;
  }

  #walk(httpMethod: string, path: string): Match | undefined {
    const parts = path.split('/').slice(1);
    if (parts.at(-1) === '') parts.pop();
    const parameters: [string, string][] = [];
    let node = this.#root;
    for (let index = 0; index < parts.length; index++) {
      const part = parts[index]!;
      const child = node.children.get(part);
      if (child) node = child;
      else if (node.parameter && part !== '') {
        parameters.push([node.parameter.name, decode(part)]);
        node = node.parameter.node;
      } else if (node.greedy) {
        parameters.push([node.greedy.name, parts.slice(index).map(decode).join('/')]);
        node = node.greedy.node;
        break;
      } else return undefined;
    }
    const method = node.methods.get(httpMethod) ?? node.methods.get('ANY');
    return method && { method, parameters: parameters.length === 0 ? null : Object.fromEntries(parameters) };
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
