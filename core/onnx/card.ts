/** What a served model says of itself: written into the graph's `metadata_props`, so that one file is enough to serve it. */
import type { Answers } from '../answers/answers.ts';
import type { Decision } from '../answers/decision.ts';
import { columnTypeOf } from '../features/layout.ts';
import type { NumberFormat } from '../features/number-formats.ts';
import type { FittedColumn, Preprocess } from '../features/preprocess.ts';
import type { ColumnType } from '../spec.ts';

/** The key of `metadata_props` that holds the card as JSON. */
export const cardKey = 'ingot.card';

export interface CardColumn {
  name: string;
  type: ColumnType;
  /** The graph's input for this column: its name, but where ONNX cannot carry it or an output has it. */
  input: string;
  /** Whether the input is float64: numbers that float32 can't tell apart. */
  wide?: true;
  /** How a number is written, where the input is a string. */
  written?: NumberFormat;
  /** Whether values of JSON lines that are no text stand in the training file: true and false, objects and lists. A request may have them as they are. */
  json?: true;
  /** Whether values of the training file have U+FFFD, which elsewhere tells that text was not UTF-8. */
  replaced?: true;
  /** Strings that mean missing, in any case and with any space around. */
  missing: string[];
}

export interface ModelCard {
  model: string;
  dataset: string;
  revision: string;
  version: string;
  task: 'classification' | 'regression';
  target: string;
  classes?: string[];
  classType?: 'string' | 'integer' | 'boolean';
  /** By which a class's probability is multiplied before the largest gives the label; 1 where there are none. */
  decision?: Decision;
  /** How often sets or intervals hold the truth; absent where the graph has none. */
  coverage?: number;
  /** In the order of a row in `input_data`. */
  columns: CardColumn[];
  /** Columns of the file that a row may have, and that are passed over. */
  ignored: string[];
}

/** @param inputs the graph's input of each column */
export function modelCard(
  preprocess: Preprocess,
  inputs: readonly string[],
  { decision, coverage }: Answers,
  model = preprocess.dataset,
): ModelCard {
  const { dataset, revision, version, task, target, classes, classType, ignored } = preprocess;
  return {
    model,
    dataset,
    revision,
    version,
    task,
    target,
    ...(classes && { classes }),
    ...(classType && { classType }),
    ...(decision && { decision }),
    ...(coverage !== undefined && { coverage }),
    columns: preprocess.columns.map((fitted, i) => ({
      name: fitted.name,
      type: columnTypeOf(fitted),
      input: inputs[i]!,
      ...(fitted.type === 'wide' && { wide: true as const }),
      ...((fitted.type === 'number' || fitted.type === 'wide') && fitted.written && { written: fitted.written }),
      ...('spellings' in fitted && marksOf(Object.keys(fitted.spellings), fitted.type)),
      missing: fitted.missing,
    })),
    ignored,
  };
}

function marksOf(spellings: readonly string[], type: FittedColumn['type']): Pick<CardColumn, 'json' | 'replaced'> {
  return {
    ...(type !== 'boolean' && hasJson(spellings) && { json: true as const }),
    ...(spellings.some((text) => text.includes('\uFFFD')) && { replaced: true as const }),
  };
}

/** Whether some are JSON as cleaning writes what is no text, and none is JSON that is written otherwise: nobody could send that but as text. */
function hasJson(spellings: readonly string[]): boolean {
  const canonical = spellings.filter((text) => /^[[{]|^(true|false)$/.test(text)).map(isCanonical);
  return canonical.includes(true) && !canonical.includes(false);
}

/** Undefined of what is no JSON at all. */
function isCanonical(text: string): boolean | undefined {
  try {
    return JSON.stringify(JSON.parse(text)) === text;
  } catch {
    return undefined;
  }
}
