import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Laptop } from './laptop.ts';

const executablePath = process.env['INGOT_CHROMIUM'] ?? '/usr/bin/chromium';
const hasChromium = existsSync(executablePath);

describe.skipIf(!hasChromium)('the console in a browser [needs Chromium]', () => {
  let laptop: Laptop;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    laptop = await Laptop.start();
    const csv = readFileSync(resolve(import.meta.dirname, '../../examples/breast-cancer/breast-cancer.csv'));
    await laptop.searchLittle('seen');
    await laptop.s3.send(new PutObjectCommand({ Bucket: laptop.outputs.DataBucket, Key: 'raw/seen/data.csv', Body: csv }));
    await laptop.finished('seen');
    browser = await chromium.launch({
      executablePath,
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    });
    page = await browser.newPage();
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  });
  afterAll(async () => {
    await browser?.close();
    await laptop?.stop();
  });

  test('asks for the key, then shows runs and models', async () => {
    await page.goto(laptop.outputs.ConsoleUrl);
    await page.getByLabel('API key').fill(laptop.outputs.ApiKey);
    await page.getByRole('button', { name: 'Open' }).click();
    await page.locator('#runs tbody tr').first().waitFor();
    expect(await page.locator('#runs tbody').textContent()).toContain('SUCCEEDED');
    expect(await page.locator('#models tbody').textContent()).toContain('seen');
  });

  test('a run opens its cleaning report and leaderboard, a model its card', async () => {
    await page.locator('#runs').getByRole('button', { name: 'seen' }).click();
    await page.locator('#detail h2').waitFor();
    const run = await page.locator('#detail').textContent();
    expect(run).toContain('569 rows read');
    expect(run).toContain('nEstimators');
    const cost =
      /Expected: [\d.]+ s \([\d.]+ s to [\d.]+ s\) and \$[\d.]+ \(\$[\d.]+ to \$[\d.]+\)\. Spent: .*Prices of us-east-1, 2025-06/;
    expect(run).toMatch(cost);
    expect(run).toContain('Runs on lambda. ');
    await page.locator('#models').getByRole('button', { name: 'seen' }).click();
    await page.locator('#detail details').waitFor();
    expect(await page.locator('#detail').textContent()).toContain('version 1');
    expect(await page.locator('#detail').textContent()).toMatch(cost);
    expect(await page.locator('#detail figcaption').allTextContents()).toEqual(
      expect.arrayContaining(['ROC', 'Precision and recall', 'Calibration', 'Training size', 'Parts of the model']),
    );
    expect(await page.locator('#detail svg path.line').count()).toBeGreaterThanOrEqual(5);
    for (const drawn of await page.locator('#detail svg path').all()) expect(await drawn.getAttribute('d')).not.toMatch(/NaN|Infinity/);
    expect(await page.locator('#detail .confusion td.number').count()).toBe(4);
    expect(await page.locator('#detail .commands').textContent()).toContain('aws s3 cp');
    expect(complaints).toEqual([]);
  });

  test('the dashboard of the template is drawn, without a key', async () => {
    await page.goto(`${laptop.outputs.EndpointUrl}/dashboard`);
    await page.locator('figure').first().waitFor();
    expect(await page.locator('figcaption').allTextContents()).toEqual(expect.arrayContaining(['Functions: duration, ms, p95']));
    expect(await page.locator('main').textContent()).toContain('Jobs on fargate: how they end');
    expect(complaints).toEqual([]);
  });

  test('a link with the key in its fragment opens at once and does not keep it in the address', async () => {
    const fresh = await (await browser.newContext()).newPage();
    await fresh.goto(`${laptop.outputs.ConsoleUrl}#key=${encodeURIComponent(laptop.outputs.ApiKey)}`);
    await fresh.locator('#runs tbody tr').first().waitFor();
    expect(fresh.url()).not.toContain(laptop.outputs.ApiKey);
    await fresh.context().close();
  });

  test('a wrong key is told', async () => {
    const fresh = await (await browser.newContext()).newPage();
    await fresh.goto(`${laptop.outputs.ConsoleUrl}#key=wrong`);
    await fresh.getByRole('alert').waitFor();
    expect(await fresh.getByRole('alert').textContent()).toMatch(/key/i);
    await fresh.context().close();
  });
});
