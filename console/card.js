// A version's card, drawn: how good its answers are, what they depend on, and how it was made.
import { bars, chart } from './charts.js';
import { costSentence } from './cost.js';
import { node, rounded, row, table } from './page.js';

const shownColumns = 20;
const percent = (value) => `${Math.round(value * 1000) / 10} %`;
const ends = (interval) => (interval ? `${rounded(interval[0])} to ${rounded(interval[1])}` : '');

/** @returns elements in the order of a report; what a card of an older version lacks is left out */
export function cardContent({ heldOut, answers, learningCurves = {}, classes, estimate, spent, seed, revision, reproduce, data, metric }) {
  return [
    sentence(heldOut, answers, classes),
    table(
      ['Held out', 'score', '95 % of samples'],
      Object.entries(heldOut.scores).map(([name, value]) => row(name, rounded(value), ends(heldOut.intervals?.[name]))),
    ),
    heldOut.confusion && classes && confusion(heldOut.confusion, classes),
    plots([...curves(heldOut), ...dependence(heldOut, classes), ...learning(learningCurves, metric)]),
    heldOut.importance && importance(heldOut.importance),
    table(
      ['Inferred', 'as', 'because'],
      data.inferred.map(({ what, value, why }) => row(what, value, why)),
    ),
    data.changes.length > 0 &&
      table(
        ['Cleaned', 'in', 'count'],
        data.changes.map(({ reason, column, count }) => row(reason, column ?? 'rows', count)),
      ),
    node('p', `Seed ${seed}, revision ${revision}. ${costSentence({ estimate, spent })}`),
    reproduce && node('h3', 'Make it again'),
    reproduce && node('pre', reproduce.commands.join('\n'), { class: 'commands' }),
    reproduce && node('pre', JSON.stringify(reproduce.spec, null, 2), { class: 'spec' }),
    reproduce?.unless && node('p', reproduce.unless),
  ].filter(Boolean);
}

function sentence({ coverage, rows }, answers, classes) {
  const said = [`${rows} rows were held out.`];
  if (answers && classes)
    said.push(answers.calibration === 'none' ? 'Probabilities are as the model gives them.' : `Calibrated by ${answers.calibration}.`);
  if (answers?.threshold !== undefined) said.push(`The second class from a probability of ${rounded(answers.threshold)} on.`);
  if (answers?.skipped) said.push(answers.skipped);
  if (coverage && answers)
    said.push(
      coverage.size === undefined
        ? `Intervals for ${percent(answers.coverage)} held the true value in ${percent(coverage.measured)} of rows; their mean width is ${rounded(coverage.meanWidth)}.`
        : `Sets for ${percent(answers.coverage)} held the true class in ${percent(coverage.measured)} of rows; they have ${rounded(coverage.size)} classes on average, none in ${percent(coverage.empty)}.`,
    );
  if (coverage?.byClass?.length > 1) {
    const least = coverage.byClass.reduce((a, b) => (b.measured < a.measured ? b : a));
    said.push(`Of the rows that are ${least.class}, the class that they hold least often, ${percent(least.measured)} of ${least.rows}.`);
  }
  return node('p', said.join(' '));
}

function confusion(matrix, classes) {
  const most = Math.max(...matrix.flat());
  const made = table(
    ['Truly', ...classes.map((name) => `said ${name}`)],
    matrix.map((counts, actual) => {
      const line = row(classes[actual], ...counts);
      for (const [predicted, count] of counts.entries())
        line.cells[predicted + 1].style.setProperty('--share', `${Math.round((60 * count) / most)}%`);
      return line;
    }),
  );
  made.className = 'confusion';
  return made;
}

function plots(figures) {
  const made = node('div', undefined, { class: 'plots' });
  made.append(...figures);
  return made;
}

function curves({ curves: byClass, scatter }) {
  const unit = [0, 1];
  const scale = { xRange: unit, yRange: unit };
  const drawn = [];
  if (byClass?.length > 0) {
    const of = (points) => byClass.map((each) => ({ name: each.class, points: points(each) }));
    drawn.push(
      chart(
        'ROC',
        of(({ roc }) => roc),
        { ...scale, x: 'false positive rate', y: 'true positives', diagonal: true },
      ),
      chart(
        'Precision and recall',
        of((each) => each.precisionRecall),
        { ...scale, x: 'recall', y: 'precision' },
      ),
      chart(
        'Calibration',
        of(({ calibration }) => calibration.map(({ predicted, observed }) => [predicted, observed])),
        { ...scale, x: 'said probability', y: 'observed share', diagonal: true },
      ),
    );
  }
  if (scatter) {
    const all = scatter.flat();
    const both = [Math.min(...all), Math.max(...all)];
    drawn.push(
      chart('Answers', [{ name: '', points: scatter }], {
        x: 'true value',
        y: 'answer',
        xRange: both,
        yRange: both,
        dots: true,
        diagonal: true,
      }),
    );
  }
  return drawn;
}

function dependence({ dependence: columns = [] }, classes) {
  return columns
    .filter(({ grid }) => grid.length > 1)
    .map(({ column, grid, answers }) => {
      if (!grid.some((value) => typeof value === 'number')) return dependenceOnCategories(column, grid, answers, classes);
      const known = grid.flatMap((value, i) => (typeof value === 'number' ? [[value, answers[i]]] : []));
      const several = Array.isArray(answers[0]);
      const series = several
        ? answers[0].map((_, k) => ({ name: classes[k], points: known.map(([value, each]) => [value, each[k]]) }))
        : [{ name: column, points: known }];
      return chart(`Dependence on ${column}`, series, {
        x: column,
        y: several ? 'probability' : classes ? `probability of ${classes[1]}` : 'answer',
      });
    });
}

function dependenceOnCategories(column, grid, answers, classes) {
  const title = `Dependence on ${column}`;
  const names = grid.map((value) => value ?? 'missing');
  if (Array.isArray(answers[0]))
    return table(
      [title, ...answers[0].map((_, k) => classes[k])],
      names.map((name, i) => row(name, ...answers[i].map(rounded))),
    );
  const entries = names.map((name, i) => ({ name, value: answers[i], error: 0 }));
  return bars(title, entries, classes ? `probability of ${classes[1]}` : 'answer');
}

function learning({ trainingSizes, iterations, objective }, metric) {
  const drawn = [];
  if (trainingSizes)
    drawn.push(
      chart(
        `Training size${trainingSizes.member ? `, of ${trainingSizes.member.family} alone` : ''}`,
        [{ name: metric, points: trainingSizes.points.map(({ rows, score }) => [rows, score]) }],
        {
          x: 'rows',
          y: metric,
          log: true,
        },
      ),
    );
  if (iterations)
    drawn.push(
      chart('Parts of the model', [{ name: iterations.loss, points: iterations.points }], { x: 'trees', y: iterations.loss, log: true }),
    );
  if (objective) drawn.push(chart('Training', [{ name: 'objective', points: objective }], { x: 'iteration', y: 'objective' }));
  return drawn;
}

function importance({ loss, columns }) {
  const entries = columns.slice(0, shownColumns).map(({ column, mean, std }) => ({ name: column, value: mean, error: std }));
  return bars('What the answers depend on', entries, `rise of ${loss} where the column is shuffled`);
}
