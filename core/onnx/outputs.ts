/** The outputs of a graph: a classifier has label, probabilities and mostly set, a regressor value and mostly interval. */
export const outputNames = { label: 'label', probabilities: 'probabilities', set: 'set', value: 'value', interval: 'interval' } as const;
