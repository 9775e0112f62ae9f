/**
 * A date's text → its numbers, in the graph. What the format's pattern doesn't match is replaced by a date that it does, and comes out as NaN.
 * Beside the rows go a few texts that have all that a text may have, so that every split has all of its parts; they are cut off at the end.
 *
 *   text ─ at spaces, 'T' ─┬─ date ─ at its separator ─ year, month, day ─────────────┐
 *                          └─ clock and zone ─ at 'Z', '+', '-' ─ at ':' ─ seconds ───┴─ arithmetic in int64 ─ features [N, parts]
 */
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { type DatePart, type FittedDate, secondsADay, yearCosines, yearSines } from './date.ts';
import { type DateFormat, fractionOf, isEpoch, patternOf, separatorOf } from './date-formats.ts';
import { splitText } from './split-text.ts';

const int64 = { to: { int: 7 } };
const float32 = { to: { int: 1 } };

/** Tensors int64 [rows, 1]; of `Moment` in civil.ts. */
interface MomentTensors {
  days: string;
  second: string;
  offset: string;
  year: string;
  month: string;
  day: string;
}

/** @param input string [N, 1] @returns float32 [N, parts] */
export function dateToOnnx(graph: GraphBuilder, { format, parts, reference }: FittedDate, input: string): string {
  const matches = graph.node('RegexFullMatch', [input], { pattern: { string: patternOf(format) } });
  const extra = fullTexts(format);
  const sound = graph.node('Where', [matches, input, graph.strings([extra[0]!], [1, 1])]);
  const rows = graph.node('Concat', [sound, graph.strings(extra, [extra.length, 1])], { axis: { int: 0 } });
  const moment = isEpoch(format) ? epochMoment(graph, rows, format) : writtenMoment(graph, rows, format);
  const columns = parts.map((part) => partOf(graph, moment, part, reference));
  const table = columns.length === 1 ? columns[0]! : graph.node('Concat', columns, { axis: { int: 1 } });
  const own = graph.node('Slice', [table, graph.int64s([0]), graph.int64s([-extra.length]), graph.int64s([0])]);
  return graph.node('Where', [matches, own, graph.floats([Number.NaN], [1, 1])]);
}

function fullTexts(format: DateFormat): string[] {
  if (isEpoch(format)) return ['0.0'];
  const date = format.replace('YYYY', '1970').replace('MM', '01').replace('DD', '01');
  return separatorOf(format) === '' ? [date] : [`${date} 00:00:00.0 +00:00`, `${date}T00:00:00.0Z`, `${date} 00:00:00.0 -00:00`];
}

/** int64 arithmetic on [rows, 1]; ONNX's integer division truncates, and here nothing is negative that is divided. */
function arithmetic(graph: GraphBuilder) {
  const operand = (value: string | number) => (typeof value === 'number' ? graph.int64s([value]) : value);
  const binary = (opType: string) => (a: string | number, b: string | number) => graph.node(opType, [operand(a), operand(b)]);
  return {
    add: binary('Add'),
    sub: binary('Sub'),
    mul: binary('Mul'),
    div: binary('Div'),
    mod: binary('Mod'),
    /** 1 where a < b, else 0. */
    less: (a: string | number, b: string | number) => graph.node('Cast', [graph.node('Less', [operand(a), operand(b)])], int64),
    integer: (text: string) => graph.node('Cast', [text], int64),
  };
}

function writtenMoment(graph: GraphBuilder, rows: string, format: DateFormat): MomentTensors {
  const { add, sub, mul, div, mod, integer } = arithmetic(graph);
  const separator = separatorOf(format);
  if (separator === '') {
    const number = integer(rows);
    const [year, month, day] = [div(number, 10_000), mod(div(number, 100), 100), mod(number, 100)];
    const zero = mul(number, 0);
    return { days: daysFromCivil(graph, year, month, day), second: zero, offset: zero, year, month, day };
  }
  const join = (a: string, b: string) => graph.node('StringConcat', [a, b]);
  const [head, second, third] = splitText(graph, rows, undefined, [0, 1, 2]) as [string, string, string];
  const [date, behind] = splitText(graph, head, 'T', [0, 1]) as [string, string];
  const order = format.split(separator);
  const written = splitText(graph, date, separator, [0, 1, 2]);
  const [year, month, day] = ['YYYY', 'MM', 'DD'].map((part) => integer(written[order.indexOf(part)]!)) as [string, string, string];

  const [time] = splitText(graph, join(join(behind, second), third), 'Z', [0]) as [string];
  const [noPlus, east] = splitText(graph, time, '+', [0, 1]) as [string, string];
  const [clock, west] = splitText(graph, noPlus, '-', [0, 1]) as [string, string];
  // '' is no number, '0' is.
  const number = (text: string) => integer(join(graph.strings(['0'], [1, 1]), text));
  const [whole] = splitText(graph, clock, '.', [0]) as [string];
  const [hours, minutes, seconds] = splitText(graph, whole, ':', [0, 1, 2]).map(number) as [string, string, string];
  const zone = join(east, west);
  const [zoneHours, zoneMinutes] = splitText(graph, zone, ':', [0, 1]).map(number) as [string, string];
  const isFourDigits = graph.node('RegexFullMatch', [zone], { pattern: { string: '[0-9]{4}' } });
  const ahead = graph.node('Where', [
    isFourDigits,
    add(mul(div(zoneHours, 100), 60), mod(zoneHours, 100)),
    add(mul(zoneHours, 60), zoneMinutes),
  ]);
  const isWest = graph.node('RegexFullMatch', [west], { pattern: { string: '.+' } });
  return {
    days: daysFromCivil(graph, year, month, day),
    second: add(add(mul(hours, 3600), mul(minutes, 60)), seconds),
    offset: mul(graph.node('Where', [isWest, sub(0, ahead), ahead]), 60),
    year,
    month,
    day,
  };
}

function epochMoment(graph: GraphBuilder, rows: string, format: DateFormat): MomentTensors {
  const { sub, mul, div, integer } = arithmetic(graph);
  const [text] = splitText(graph, rows, undefined, [0]) as [string];
  const [whole] = splitText(graph, text, '.', [0]) as [string];
  const count = integer(whole);
  const seconds = fractionOf(format) === 0 ? count : div(count, 10 ** fractionOf(format));
  const days = div(seconds, secondsADay);
  return { days, second: sub(seconds, mul(days, secondsADay)), offset: mul(days, 0), ...civilFromDays(graph, days) };
}

/** As in civil.ts. */
function daysFromCivil(graph: GraphBuilder, year: string, month: string, day: string): string {
  const { add, sub, mul, div, less } = arithmetic(graph);
  const early = less(month, 3);
  const shifted = sub(year, early);
  const era = div(shifted, 400);
  const yearOfEra = sub(shifted, mul(era, 400));
  const shiftedMonth = add(sub(month, 3), mul(early, 12));
  const dayOfYear = add(div(add(mul(shiftedMonth, 153), 2), 5), sub(day, 1));
  const leapDays = sub(div(yearOfEra, 4), div(yearOfEra, 100));
  return sub(add(add(mul(era, 146_097), mul(yearOfEra, 365)), add(leapDays, dayOfYear)), 719_468);
}

/** As in civil.ts. */
function civilFromDays(graph: GraphBuilder, days: string): Pick<MomentTensors, 'year' | 'month' | 'day'> {
  const { add, sub, mul, div, less } = arithmetic(graph);
  const shifted = add(days, 719_468);
  const era = div(shifted, 146_097);
  const dayOfEra = sub(shifted, mul(era, 146_097));
  const yearOfEra = div(sub(add(sub(dayOfEra, div(dayOfEra, 1460)), div(dayOfEra, 36_524)), div(dayOfEra, 146_096)), 365);
  const dayOfYear = sub(dayOfEra, sub(add(mul(yearOfEra, 365), div(yearOfEra, 4)), div(yearOfEra, 100)));
  const shiftedMonth = div(add(mul(dayOfYear, 5), 2), 153);
  const month = sub(add(shiftedMonth, 3), mul(less(9, shiftedMonth), 12));
  return {
    year: add(add(yearOfEra, mul(era, 400)), less(month, 3)),
    month,
    day: add(sub(dayOfYear, div(add(mul(shiftedMonth, 153), 2), 5)), 1),
  };
}

/** float32 [rows, 1] */
function partOf(graph: GraphBuilder, moment: MomentTensors, part: DatePart, reference: number): string {
  const { add, sub, mul, div, mod } = arithmetic(graph);
  const toFloat = (value: string) => graph.node('Cast', [value], float32);
  if (part === 'elapsed') {
    const instant = sub(add(mul(moment.days, secondsADay), moment.second), moment.offset);
    const seconds = graph.node('Cast', [sub(instant, reference)], { to: { int: 11 } });
    return toFloat(graph.node('Div', [seconds, graph.doubles([secondsADay])]));
  }
  // Mod takes the sign of the divisor.
  if (part === 'weekday') return toFloat(mod(add(moment.days, 3), 7));
  if (part === 'hour') return toFloat(div(moment.second, 3600));
  if (part === 'yearSine' || part === 'yearCosine') {
    const january = daysFromCivil(graph, moment.year, graph.int64s([1]), graph.int64s([1]));
    return graph.node('Gather', [graph.floats(part === 'yearSine' ? yearSines : yearCosines), sub(moment.days, january)]);
  }
  return toFloat(moment[part]);
}
