import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { environment } from '../../core/names.ts';
import { type AssetGroup, assetGroups, type BuiltAsset, buildAsset, targetOf } from '../../infra/assets.ts';

const megabyte = 1024 * 1024;
const groups = Object.keys(assetGroups) as AssetGroup[];
/** The processor of ELF files, at byte 18: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html */
const elfMachines = { x64: 0x3e, arm64: 0xb7 };

function filesOf({ path: folder }: BuiltAsset): { path: string; size: number }[] {
  return globSync('**/*', { cwd: folder }).flatMap((path) => {
    const file = statSync(join(folder, path));
    return file.isFile() ? [{ path, size: file.size }] : [];
  });
}

const libraries = (asset: BuiltAsset) => filesOf(asset).filter(({ path }) => !path.startsWith('dist/'));
const machineOf = (asset: BuiltAsset, { path }: { path: string }) => readFileSync(join(asset.path, path)).readUInt16LE(18);

describe.each(groups)('the %s asset', (group) => {
  const asset = buildAsset(group, targetOf('native'));
  // Away from the repository, whose node_modules would lend what the asset lacks.
  const home = mkdtempSync(join(tmpdir(), 'ingot-asset-'));
  cpSync(asset.path, home, { recursive: true });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it('loads each handler with nothing but itself, native libraries included', () => {
    const natives = globSync('**/*.node', { cwd: home });
    const script = `
      globalThis.require = (name) => { throw new Error('the require of somebody else, for ' + name); };
      import { createRequire } from 'node:module';
      for (const library of ${JSON.stringify(natives)}) createRequire('${home}/').call(null, '${home}/' + library);
      for (const name of ${JSON.stringify(assetGroups[group])}) {
        const { handler } = await import('${home}/dist/' + name + '.mjs');
        console.log(name, typeof handler);
      }
      process.exit();`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: dirname(home),
      encoding: 'utf8',
      env: { ...Object.fromEntries(Object.values(environment).map((name) => [name, 'none'])), AWS_REGION: 'us-east-1' },
    });
    expect(child.stderr).toBe('');
    expect(child.stdout.trim().split('\n')).toEqual(assetGroups[group].map((name) => `${name} function`));
  });

  it('has every worker that its code starts', () => {
    const files = globSync('*.mjs', { cwd: join(home, 'dist') });
    const started = files.flatMap((file) => [...readFileSync(join(home, 'dist', file), 'utf8').matchAll(/\.\/([\w-]+\.worker\.mjs)/g)]);
    expect(files).toEqual(expect.arrayContaining(started.map(([, worker]) => worker!)));
  });

  it('is the same when built again, and leaves nothing else behind', () => {
    const beside = () => readdirSync(dirname(asset.path)).filter((name) => name.startsWith(`${group}-${process.pid}-`));
    expect(buildAsset(group, targetOf('native'))).toEqual(asset);
    expect(beside()).toEqual([]);
  });

  it('is smaller than the 250 MB that Lambda takes', () => {
    expect(asset.size).toBeLessThan(250 * megabyte);
    expect(filesOf(asset).reduce((sum, { size }) => sum + size, 0)).toBe(asset.size);
  });
});

describe('assets', () => {
  it('hold just the native libraries that their code loads', () => {
    const packages = (group: AssetGroup) => new Set(libraries(buildAsset(group, targetOf('x64'))).map(({ path }) => path.split('/')[0]!));
    expect(packages('control')).toEqual(new Set());
    expect(packages('serving')).toEqual(new Set(['bin']));
  });

  it.each([
    ['forest', ['trees']],
    ['boosting', ['bins', 'rounds']],
  ])('fit %s with the help of threads that start from the asset', (family, threads) => {
    const home = mkdtempSync(join(tmpdir(), 'ingot-asset-'));
    try {
      cpSync(buildAsset('pipeline', targetOf('native')).path, home, { recursive: true });
      const chunk = globSync('*.mjs', { cwd: join(home, 'dist') }).find((file) =>
        /^export \{[^}]*\bfamilyOf\b/m.test(readFileSync(join(home, 'dist', file), 'utf8')),
      );
      const script = `
        import { once } from 'node:events';
        import { familyOf } from '${home}/dist/${chunk}';
        const [rows, columns] = [60_000, 10];
        const data = Float32Array.from({ length: rows * columns }, (_, i) => (i * 7919) % 10_007);
        const x = { rows, columns, names: Array.from({ length: columns }, (_, i) => 'c' + i), data };
        const y = { task: 'regression', values: Float64Array.from(data.subarray(0, rows)) };
        const fit = async (workers) => {
          const model = await familyOf('${family}').fit(x, y, { nEstimators: 5 }, { seed: 1, workers });
          return Buffer.from(model.serialize());
        };
        const threads = [];
        process.on('worker', (worker) => threads.push(worker));
        const alone = await fit(1);
        const helped = await fit(2);
        await new Promise(setImmediate); // A new worker is told of a tick later.
        setInterval(() => {}, 1000); // Idle threads would not keep this process alive.
        const answers = threads.map(async (worker) => {
          // That nonsense is read shows that the thread has loaded its code, and listens.
          worker.postMessage(null);
          const [error] = await once(worker, 'error');
          return error.message.split(' ', 2).join(' ');
        });
        console.log(JSON.stringify([alone.equals(helped), ...(await Promise.all(answers))]));
        process.exit();`;
      // A file, since a thread inherits how this process was told to read its code.
      writeFileSync(join(home, 'fit.mjs'), script);
      const child = spawnSync(process.execPath, [join(home, 'fit.mjs')], { cwd: dirname(home), encoding: 'utf8', timeout: 60_000 });
      expect(child.stderr).toBe('');
      expect(JSON.parse(child.stdout)).toEqual([true, ...threads.map(() => 'Cannot destructure')]);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });

  it('hold the web page beside the handler that serves it', () => {
    expect(filesOf(buildAsset('control', targetOf('native'))).map(({ path }) => path)).toContain('dist/console/index.html');
  });

  it.each(['x64', 'arm64'] as const)('serve on %s from under 50 MB zipped, built on any machine', (cpu) => {
    const asset = buildAsset('serving', targetOf(cpu));
    const zipped = filesOf(asset).reduce((sum, { path }) => sum + deflateRawSync(readFileSync(join(asset.path, path))).length, 0);
    expect(zipped).toBeLessThan(50 * megabyte);
    expect(libraries(asset).map((file) => machineOf(asset, file))).toEqual(libraries(asset).map(() => elfMachines[cpu]));
  });

  const foreign = process.arch === 'arm64' ? 'x64' : 'arm64';
  const fetches =
    existsSync(join(import.meta.dirname, '../../.build/native')) || spawnSync('npm', ['ping'], { timeout: 20_000 }).status === 0;
  it.skipIf(!fetches)(
    `train on ${foreign} by libraries fetched by the lock's hash${fetches ? '' : ' (skipped: no package registry)'}`,
    () => {
      const asset = buildAsset('pipeline', targetOf(foreign));
      expect(
        libraries(asset)
          .map(({ path }) => basename(path))
          .sort(),
      ).toEqual(['duckdb.node', 'libduckdb.so', 'libonnxruntime.so.1', 'onnxruntime_binding.node']);
      expect(libraries(asset).map((file) => machineOf(asset, file))).toEqual(libraries(asset).map(() => elfMachines[foreign]));
      expect(asset.size).toBeLessThan(250 * megabyte);
    },
  );
});
