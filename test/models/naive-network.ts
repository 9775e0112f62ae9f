/**
 * The naive twin of training: a network in plain float64 loops, whose slopes are differences of its loss. Nothing is derived, so nothing can be derived
 * wrongly.
 */

export interface NaiveLayer {
  /** [inputs][outputs] */
  weights: number[][];
  bias: number[];
  gain: number[];
}

export interface NaiveOptions {
  normalised: boolean;
  /** What the last layer's outputs are worth: the loss of the mean over the rows. */
  loss(scores: number[][]): number;
}

const leastVariance = 1e-5;

/** Scores of a batch, and the statistics of each hidden layer. */
export function forward(layers: NaiveLayer[], rows: number[][], { normalised }: Pick<NaiveOptions, 'normalised'>) {
  const statistics: { mean: number[]; variance: number[] }[] = [];
  const scores = layers.reduce((active, { weights, bias, gain }, l) => {
    const isLast = l === layers.length - 1;
    const sums = active.map((row) => bias.map((_, k) => row.reduce((sum, value, i) => sum + value * weights[i]![k]!, 0)));
    if (isLast || !normalised) return sums.map((row) => row.map((value, k) => (isLast ? value + bias[k]! : Math.max(0, value + bias[k]!))));
    const mean = bias.map((_, k) => sums.reduce((sum, row) => sum + row[k]! / sums.length, 0));
    const variance = mean.map((centre, k) => sums.reduce((sum, row) => sum + (row[k]! - centre) ** 2 / sums.length, 0));
    statistics.push({ mean, variance });
    return sums.map((row) =>
      row.map((value, k) => Math.max(0, ((value - mean[k]!) / Math.sqrt(variance[k]! + leastVariance)) * gain[k]! + bias[k]!)),
    );
  }, rows);
  return { scores, statistics };
}

/** Every number of the layers, to read and to write. */
function placesOf(layers: NaiveLayer[]): { list: number[]; at: number; decays: boolean }[] {
  return layers.flatMap(({ weights, bias, gain }) => [
    ...weights.flatMap((list) => list.map((_, at) => ({ list, at, decays: true }))),
    ...bias.map((_, at) => ({ list: bias, at, decays: false })),
    ...gain.map((_, at) => ({ list: gain, at, decays: false })),
  ]);
}

/** Adam on all rows, and what the layers and statistics are on average, the late steps weighing more: each number's list of steps is kept. */
export function trainNaively(layers: NaiveLayer[], rows: number[][], options: NaiveOptions, rates: number[], decay: number): void {
  const places = placesOf(layers).map((place) => ({ ...place, first: 0, second: 0 }));
  const lossNow = () => options.loss(forward(layers, rows, options).scores);
  rates.forEach((rate, step) => {
    const slopes = places.map(({ list, at }) => {
      const own = list[at]!;
      const small = 1e-5;
      list[at] = own + small;
      const above = lossNow();
      list[at] = own - small;
      const below = lossNow();
      list[at] = own;
      return (above - below) / (2 * small);
    });
    places.forEach((place, i) => {
      place.first = 0.9 * place.first + 0.1 * slopes[i]!;
      place.second = 0.99 * place.second + 0.01 * slopes[i]! ** 2;
      const by = place.first / (1 - 0.9 ** (step + 1)) / (Math.sqrt(place.second / (1 - 0.99 ** (step + 1))) + 1e-8);
      place.list[place.at] = place.list[place.at]! * (place.decays ? 1 - rate * decay : 1) - rate * by;
    });
  });
}
