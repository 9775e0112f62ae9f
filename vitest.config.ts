import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/property-limits.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 240_000,
    // What is waited for comes when it comes: a loaded machine is slow, and nobody waits longer than for the event.
    expect: { poll: { timeout: 30_000 } },
  },
});
