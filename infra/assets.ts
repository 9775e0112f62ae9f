/**
 * Lambda code, built here without Docker: esbuild bundles the handlers and the workers that they start into flat `.mjs` files, and beside them lie
 * just the native libraries that those bundles load, for the one processor they will run on.
 *
 *     <asset>/dist/clean.mjs, fit.mjs, trees.worker.mjs, chunk-….mjs      the handlers are `dist/clean.handler`, …
 *     <asset>/dist/console/…                                             what a handler serves as it is
 *     <asset>/bin/napi-v6/linux/arm64/…                                  onnxruntime, where its own code looks for it: ../bin
 *     <asset>/node_modules/@duckdb/node-bindings-linux-arm64/…           DuckDB, found by Node's resolution
 *
 * A folder is named by the hash of its content, so building twice gives the same asset, and two builds at once do not disturb each other.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { buildSync, type Metafile } from 'esbuild';
import type { FunctionName } from '../core/names.ts';
import type { Config } from './config.ts';

const root = dirname(import.meta.dirname);
const build = join(root, '.build');

/** Lambda refuses more, unzipped. */
const largestAsset = 250 * 1024 * 1024;

/** Functions that share an asset: those that need no native library, those that train, and the one whose cold start counts. Jobs run the second. */
export const assetGroups = {
  control: ['api', 'plan', 'select', 'register', 'release', 'fail', 'watch'],
  pipeline: ['clean', 'transform', 'search', 'fit', 'optimise', 'gate'],
  serving: ['predict'],
} as const satisfies Record<string, readonly FunctionName[]>;

/** What a job of Batch runs, beside the functions of its asset. */
const jobs: Partial<Record<AssetGroup, string>> = { pipeline: 'containers/train/main.ts' };

/** Folders that handlers read as they are, copied beside them: `api` serves the web page. */
const files: Partial<Record<FunctionName, string>> = { api: 'console' };

export type AssetGroup = keyof typeof assetGroups;

export interface Target {
  os: NodeJS.Platform;
  cpu: string;
}

export function targetOf(processor: Config['processor']): Target {
  return processor === 'native' ? { os: process.platform, cpu: process.arch } : { os: 'linux', cpu: processor };
}

export interface BuiltAsset {
  /** An absolute path under `.build/assets`. */
  path: string;
  /** Of every file's name and bytes. */
  hash: string;
  /** Unzipped, in bytes. */
  size: number;
}

/** Native libraries: how a bundle's imports tell that it needs one, where its files are here, and where the bundle looks for them. */
const natives = [
  {
    imports: (path: string) => path.endsWith('onnxruntime_binding.node'),
    source: ({ os, cpu }: Target) => packageFolder('onnxruntime-node', `bin/napi-v6/${os}/${cpu}`),
    place: ({ os, cpu }: Target) => `bin/napi-v6/${os}/${cpu}`,
  },
  {
    imports: (path: string) => path.startsWith('@duckdb/node-bindings-'),
    source: ({ os, cpu }: Target) => platformPackage(`@duckdb/node-bindings-${os}-${cpu}`, { os, cpu }),
    place: ({ os, cpu }: Target) => `node_modules/@duckdb/node-bindings-${os}-${cpu}`,
  },
];

const isLibrary = (file: string) => /\.(node|so|dylib|dll)(\.\d+)*$/.test(file);

/** Builds the asset of a group. Under a second where the native libraries are there. */
export function buildAsset(group: AssetGroup, target: Target): BuiltAsset {
  const folder = join(build, 'assets', `${group}-${process.pid}-${Date.now()}`);
  try {
    const handlers = assetGroups[group].map((name) => `functions/${name}.lambda.ts`);
    const imports = bundle([...handlers, ...(jobs[group] ? [jobs[group]] : [])], join(folder, 'dist'));
    for (const name of assetGroups[group]) {
      if (files[name]) cpSync(join(root, files[name]), join(folder, 'dist', files[name]), { recursive: true });
    }
    for (const native of natives.filter((each) => imports.some(each.imports))) {
      const source = native.source(target);
      for (const file of readdirSync(source).filter(isLibrary)) place(join(source, file), join(folder, native.place(target), file));
    }
    return settle(group, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Bundles handlers and the workers that they start. @returns what the bundles import from outside. */
function bundle(files: string[], out: string): string[] {
  const entry = (file: string) => ({ in: join(root, file), out: basename(file).replace(/(\.lambda)?\.ts$/, '') });
  const handlers = files.map(entry);
  const workers = globSync('{core,containers}/**/*.worker.ts', { cwd: root }).sort().map(entry);
  const { metafile, outputFiles } = buildSync({
    absWorkingDir: root,
    entryPoints: [...handlers, ...workers],
    outdir: join(build, 'dist'),
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunk-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    external: ['*.node'],
    // CommonJS packages inside an ES module call require. Assigned, not declared, since a bundle may declare a `require` of its own; and always,
    // since another's would look for the libraries elsewhere.
    banner: { js: "import { createRequire as requireFrom } from 'node:module'; globalThis.require = requireFrom(import.meta.url);" },
    legalComments: 'none',
    logLevel: 'error',
    metafile: true,
    write: false,
  });
  const texts = new Map(outputFiles.map((file) => [basename(file.path), file.text]));
  const { files: reached, external } = reachable(
    handlers.map((handler) => `${handler.out}.mjs`),
    texts,
    metafile,
  );
  mkdirSync(out, { recursive: true });
  for (const file of reached) writeFileSync(join(out, file), texts.get(file)!);
  return external;
}

/** The program of `node -e` in a job's container, see containers/train/bootstrap.ts. */
export function buildBootstrap(): string {
  const { outputFiles } = buildSync({
    entryPoints: [join(root, 'containers/train/bootstrap.ts')],
    bundle: true,
    minify: true,
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    legalComments: 'none',
    logLevel: 'error',
    write: false,
  });
  return outputFiles[0]!.text.trim();
}

/** The outputs that handlers import or start as a worker (`new URL('./x.worker.mjs', …)`), and the modules outside that these import. */
function reachable(handlers: string[], texts: Map<string, string>, metafile: Metafile): { files: string[]; external: string[] } {
  const outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output]));
  const files = new Set(handlers);
  const external = new Set<string>();
  for (const file of files) {
    for (const imported of outputs.get(file)?.imports ?? []) {
      if (imported.external) external.add(imported.path);
      else files.add(basename(imported.path));
    }
    for (const [, worker] of texts.get(file)!.matchAll(/\.\/([\w-]+\.worker\.mjs)/g)) files.add(worker!);
  }
  return { files: [...files].sort(), external: [...external] };
}

/** Links a file instead of copying it: the libraries are large, and an asset is only read. */
function place(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

/** Gives a built folder the name of its content; where that is there already, it is the same and stays. */
function settle(group: AssetGroup, folder: string): BuiltAsset {
  const hash = createHash('sha256');
  let size = 0;
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/')).sort();
  for (const path of paths) {
    const bytes = readFileSync(join(folder, path));
    hash.update(`${path}\0${bytes.length}\0`).update(bytes);
    size += bytes.length;
  }
  if (size > largestAsset) throw new Error(`The ${group} asset has ${size} bytes; Lambda takes ${largestAsset}.`);
  const digest = hash.digest('hex');
  const path = join(build, 'assets', `${group}-${digest.slice(0, 16)}`);
  if (!existsSync(path)) {
    try {
      renameSync(folder, path);
    } catch (error) {
      if (!existsSync(path)) throw error;
    }
  }
  return { path, hash: digest, size };
}

function packageFolder(name: string, path: string): string {
  const folder = join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), path);
  if (existsSync(folder)) return folder;
  throw new Error(`${name} has no ${path}: it does not run on that system and processor.`);
}

/**
 * The folder of a package made for one platform. npm installs only this machine's, so another's is fetched once into `.build/native`, by the
 * address and hash that package-lock.json has for it.
 */
function platformPackage(name: string, { os, cpu }: Target): string {
  const installed = join(root, 'node_modules', name);
  if (existsSync(installed)) return installed;
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: Record<string, { version: string }> };
  const entry = lock.packages[`node_modules/${name}`];
  if (!entry) throw new Error(`package-lock.json has no ${name}: it does not exist for that system and processor.`);
  const project = join(build, 'native', `${os}-${cpu}-${entry.version}`);
  const folder = join(project, 'node_modules', name);
  if (existsSync(folder)) return folder;
  const manifest = { name: 'native', version: '0.0.0', optionalDependencies: { [name]: entry.version } };
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest));
  writeFileSync(
    join(project, 'package-lock.json'),
    JSON.stringify({ ...manifest, lockfileVersion: 3, packages: { '': manifest, [`node_modules/${name}`]: entry } }),
  );
  try {
    const platform = [`--os=${os}`, `--cpu=${cpu}`, ...(os === 'linux' ? ['--libc=glibc'] : [])];
    execFileSync('npm', ['ci', '--ignore-scripts', ...platform], { cwd: project, stdio: 'pipe', shell: process.platform === 'win32' });
  } catch (cause) {
    throw new Error(`${name} could not be fetched. To build for this machine instead, add -c ingot:processor=native.`, { cause });
  }
  if (!existsSync(folder)) throw new Error(`npm left out ${name} without a word; a newer npm may fetch it.`);
  return folder;
}
