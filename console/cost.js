// What a run was to take before it began, what it has taken, and by whose prices.
const seconds = (value) => `${Number(value.toPrecision(value < 100 ? 2 : 3))} s`;
const dollars = (value) => `$${Number(value.toPrecision(2))}`;
const expected = ({ low, point, high }, text) => `${text(point)} (${text(low)} to ${text(high)})`;

/** @returns a sentence or some; none of a run of an older version, which does not know */
export function costSentence({ estimate, spent }) {
  const said = [];
  if (estimate) said.push(`Expected: ${expected(estimate.seconds, seconds)} and ${expected(estimate.dollars, dollars)}.`);
  if (spent) said.push(`Spent: ${seconds(spent.seconds)} of functions and jobs, and ${dollars(spent.dollars)}.`);
  const { region, asOf, source } = estimate?.prices ?? {};
  if (region) said.push(`Prices of ${region}, ${asOf}${source ? ` (${source})` : ''}; jobs at that on demand.`);
  return said.join(' ');
}
