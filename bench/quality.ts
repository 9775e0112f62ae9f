/** Recall and false alarms of a detector on cases of known kind. */

export interface Quality {
  recall: number;
  falseAlarms: number;
  positives: number;
  negatives: number;
  /** Recall by kind. */
  byKind: Record<string, number>;
}

/** @param cases null is a case in which nothing is to be found @param found what the detector said of each */
export function quality(cases: { kind: string | null }[], found: boolean[]): Quality {
  const share = (test: (kind: string | null) => boolean) => {
    const chosen = cases.flatMap(({ kind }, i) => (test(kind) ? [found[i]!] : []));
    return { share: chosen.filter(Boolean).length / Math.max(1, chosen.length), count: chosen.length };
  };
  const kinds = [...new Set(cases.flatMap(({ kind }) => kind ?? []))];
  const [positive, negative] = [share((kind) => kind !== null), share((kind) => kind === null)];
  return {
    recall: positive.share,
    falseAlarms: negative.share,
    positives: positive.count,
    negatives: negative.count,
    byKind: Object.fromEntries(kinds.map((kind) => [kind, share((own) => own === kind).share])),
  };
}

/** Prints both sides, kind by kind. */
export function tell(what: string, ours: Quality, rival?: Quality): void {
  const percent = (value: number | undefined) => (value === undefined ? '' : `${(100 * value).toFixed(1)} %`);
  const rows = [
    ...Object.keys(ours.byKind).map((kind) => [kind, percent(ours.byKind[kind]), percent(rival?.byKind[kind])]),
    [`recall of ${ours.positives}`, percent(ours.recall), percent(rival?.recall)],
    [`false alarms of ${ours.negatives}`, percent(ours.falseAlarms), percent(rival?.falseAlarms)],
  ];
  console.log([what, ...rows.map((cells) => `  ${cells[0]!.padEnd(28)}${cells[1]!.padStart(9)}${cells[2]!.padStart(9)}`)].join('\n'));
}
