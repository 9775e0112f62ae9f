// The console: what the API says, drawn. It keeps the key in this tab alone, and puts nothing of the data into the page but as text.
import { cardContent } from './card.js';
import { costSentence } from './cost.js';
import { node, rounded, row, table } from './page.js';

const key = {
  get: () => sessionStorage.getItem('ingot-key'),
  set: (value) => sessionStorage.setItem('ingot-key', value),
};
const api = new URL('../', location.href.split('#')[0]);
const element = (id) => document.getElementById(id);

async function get(path) {
  const response = await fetch(new URL(path, api), { headers: { 'x-api-key': key.get() } });
  const body = await response.json();
  if (!response.ok) throw new Error([body.error?.message ?? response.statusText, body.error?.fix].filter(Boolean).join(' '));
  return body;
}

function link(text, open) {
  const made = node('button', text, { class: 'link', type: 'button' });
  made.addEventListener('click', () => open().catch(tell));
  return made;
}

const segment = encodeURIComponent;

async function draw() {
  const [{ runs }, { models }] = await Promise.all([get('runs'), get('models')]);
  const underWay = runs.filter(({ status }) => status === 'RUNNING');
  const details = new Map(await Promise.all(underWay.map(async ({ id }) => [id, await get(`runs/${segment(id)}`).catch(() => undefined)])));
  element('runs').tBodies[0].replaceChildren(
    ...runs.map((run) =>
      row(
        link(run.dataset, () => showRun(run)),
        run.error ? `${run.status}: ${run.error.message}` : run.status,
        [run.stage, left(details.get(run.id)?.remaining)].filter(Boolean).join(', '),
        node('progress', undefined, { value: run.progress, max: 1, 'aria-label': `${Math.round(run.progress * 100)} %` }),
        new Date(run.startedAt).toLocaleString(),
      ),
    ),
  );
  element('models').tBodies[0].replaceChildren(
    ...models.map(({ name, versions, aliases }) => {
      const live = versions.find(({ version }) => version === aliases.live?.version) ?? versions.at(-1);
      return row(
        link(name, () => showModel(name, live.version)),
        aliases.live?.version,
        versions.length,
        live?.metric,
        rounded(live?.score),
      );
    }),
  );
  return underWay.length > 0;
}

function left(seconds) {
  if (seconds === undefined) return '';
  return seconds < 90 ? `about ${Math.ceil(seconds)} s left` : `about ${Math.round(seconds / 60)} min left`;
}

function showDetail(title, ...content) {
  element('detail').replaceChildren(node('h2', title), ...content);
  element('detail').hidden = false;
}

async function showRun({ id, dataset }) {
  const [run, { report, suspiciousLabels }] = await Promise.all([get(`runs/${segment(id)}`), get(`datasets/${segment(dataset)}`)]);
  const content = [];
  if (run.error) content.push(node('p', [run.error.message, run.error.where, run.error.fix].filter(Boolean).join(' ')));
  if (run.lane) content.push(node('p', `Runs on ${run.lane.name}. ${run.lane.reason}`));
  if (run.waiting) content.push(node('p', run.waiting));
  content.push(node('p', costSentence(run)));
  if (report) {
    const { read, kept, rejected, duplicates, missingTarget } = report.rows;
    content.push(
      node('p', `${read} rows read, ${kept} kept, ${rejected} rejected, ${duplicates} duplicates, ${missingTarget} without a target.`),
    );
    content.push(
      table(
        ['Inferred', 'as', 'because'],
        report.inferred.map(({ what, value, why }) => row(what, value, why)),
      ),
    );
    if (report.changes.length > 0) {
      content.push(
        table(
          ['Change', 'in', 'count'],
          report.changes.map(({ reason, column, count }) => row(reason, column ?? 'rows', count)),
        ),
      );
    }
  }
  if (suspiciousLabels?.count > 0) {
    const { count, of, rows } = suspiciousLabels;
    content.push(node('p', `${count} of ${of} rows are likely mislabelled; the surest:`));
    content.push(
      table(
        ['Row', 'labelled', 'looks like', 'probability'],
        rows.map(({ row: number, given, suggested, confidence }) => row(number, given, suggested, rounded(confidence))),
      ),
    );
  }
  if (run.leaderboard) content.push(leaderboard(run.leaderboard));
  showDetail(`${dataset}: ${run.status}`, ...content);
}

async function showModel(name, version) {
  const card = await get(`models/${segment(name)}/versions/${version}`);
  const whole = node('details');
  whole.append(node('summary', 'The card as JSON'), node('pre', JSON.stringify({ ...card, leaderboard: undefined }, null, 2)));
  showDetail(`${name}, version ${version}`, ...cardContent(card), leaderboard(card.leaderboard), whole);
}

function describeParams(params) {
  return Object.entries(params)
    .map(([name, value]) => `${name} ${value ?? 'none'}`)
    .join(', ');
}

function leaderboard({ metric, entries }) {
  return table(
    ['Rank', 'Family', 'Parameters', `${metric}, mean`, 'deviation', 'folds', 'rung'],
    entries.map(({ rank, family, params, mean, std, perFold, rung }) =>
      row(rank, family, describeParams(params), rounded(mean[metric]), rounded(std[metric]), perFold.length, rung ?? ''),
    ),
  );
}

function tell(error) {
  element('trouble').textContent = error.message;
  element('trouble').hidden = false;
}

async function refresh() {
  let busy = true;
  try {
    busy = await draw();
    element('trouble').hidden = true;
    document.querySelector('main').hidden = false;
  } catch (error) {
    tell(error);
  }
  setTimeout(refresh, busy ? 1000 : 5000);
}

element('key').addEventListener('submit', (event) => {
  event.preventDefault();
  const first = !key.get();
  key.set(new FormData(event.target).get('key'));
  if (first) refresh();
});

// A link such as …/console/#key=… opens the page at once; what follows # is never sent to a server.
const given = new URLSearchParams(location.hash.slice(1)).get('key');
if (given) {
  key.set(given);
  history.replaceState(null, '', location.pathname);
}
if (key.get()) refresh();
