/** The outputs of a graph: a classifier has label and probabilities, a regressor value. */
export const outputNames = { label: 'label', probabilities: 'probabilities', value: 'value' } as const;
