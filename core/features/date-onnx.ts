/**
 * A date's text → its numbers, in the graph. What the format's pattern doesn't match is replaced by a date that it does, and comes out as NaN.
 * Beside the rows go a few texts that have all that a text may have, so that every split has all of its parts; they are cut off at the end.
 *
 *   text ─ at spaces, 'T' ─┬─ date ─ at its separator ─ year, month, day ─────────────┐
 *                          └─ clock and zone ─ at 'Z', '+', '-' ─ at ':' ─ seconds ───┴─ arithmetic in int64 ─ features [N, parts]
 */
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import {
  type DateFormat,
  fractionOf,
  halfDays,
  isEpoch,
  monthNames,
  patternOf,
  pivotYear,
  type WrittenDate,
  writtenDate,
} from './date-formats.ts';
import { type DatePart, type FittedDate, secondsADay, yearCosines, yearSines } from './date-parts.ts';
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
  const { order, separator, hasShortYear, hasMonthName, hasWeekday, hasTime, isHalfDay } = writtenDate(format);
  const parts = { Y: hasShortYear ? '70' : '1970', M: hasMonthName ? 'Jan' : '01', D: '01' };
  const date = [...(hasWeekday ? ['Thu'] : []), ...order.map((part) => parts[part])].join(separator === ' ' ? ', ' : separator);
  if (!hasTime) return [date];
  const [time, ...halves] = isHalfDay ? ['01:00:00.0 AM', ...halfDays.slice(1).map((half) => `01:00 ${half}`)] : ['00:00:00.0'];
  const offsets = [`${date} ${time} +00:00`, `${date} ${time} -00:00`];
  return [...offsets, ...(hasMonthName ? [] : [`${date}T${time}Z`]), ...halves.map((half) => `${date} ${half}`)];
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

const range = (length: number) => Array.from({ length }, (_, i) => i);

function writtenMoment(graph: GraphBuilder, rows: string, format: DateFormat): MomentTensors {
  const { mul, div, mod, integer } = arithmetic(graph);
  const written = writtenDate(format);
  const { order, separator, hasMonthName, hasWeekday, hasTime, isHalfDay } = written;
  if (separator === '') {
    const number = integer(rows);
    const [year, month, day] = [div(number, 10_000), mod(div(number, 100), 100), mod(number, 100)];
    const zero = mul(number, 0);
    return { days: daysFromCivil(graph, year, month, day), second: zero, offset: zero, year, month, day };
  }
  const join = (a: string, b: string) => graph.node('StringConcat', [a, b]);
  const before = hasWeekday ? 1 : 0;
  const own = separator === ' ' ? order.length + before : 1;
  const text = separator === ' ' ? splitText(graph, rows, ',', range(own)).reduce(join) : rows;
  const pieces = splitText(graph, text, undefined, range(own + (hasTime ? (isHalfDay ? 3 : 2) : 0)));
  const head = pieces[0]!;
  const [date, behind] = hasTime && !hasMonthName ? splitText(graph, head, 'T', [0, 1]) : [head];
  const parts = separator === ' ' ? pieces.slice(before, own) : splitText(graph, date!, separator, range(order.length));
  const civil = civilOf(graph, written, (part) => parts[order.indexOf(part)]!);
  const days = daysFromCivil(graph, civil.year, civil.month, civil.day);
  const zero = mul(civil.year, 0);
  if (!hasTime) return { days, second: zero, offset: zero, ...civil };
  const time = [...(behind === undefined ? [] : [behind]), ...pieces.slice(own)].reduce(join);
  return { days, ...timeOf(graph, time, isHalfDay), ...civil };
}

function civilOf(
  graph: GraphBuilder,
  { order, hasShortYear, hasMonthName }: WrittenDate,
  textOf: (part: 'Y' | 'M' | 'D') => string,
): Pick<MomentTensors, 'year' | 'month' | 'day'> {
  const { add, mul, less, integer } = arithmetic(graph);
  const written = integer(textOf('Y'));
  const year = hasShortYear ? add(add(written, 1900), mul(less(written, pivotYear), 100)) : written;
  const names = {
    keys_strings: { strings: [...monthNames.keys()] },
    values_int64s: { ints: [...monthNames.values()] },
    default_int64: { int: 1 },
  };
  const month = hasMonthName ? graph.node('LabelEncoder', [textOf('M')], names, { domain: 'ai.onnx.ml' }) : integer(textOf('M'));
  return { year, month, day: order.includes('D') ? integer(textOf('D')) : add(mul(year, 0), 1) };
}

/** @param text a time of day and its zone, without spaces; '' is midnight */
function timeOf(graph: GraphBuilder, text: string, isHalfDay: boolean): Pick<MomentTensors, 'second' | 'offset'> {
  const { add, sub, mul, div, mod, integer } = arithmetic(graph);
  const join = (a: string, b: string) => graph.node('StringConcat', [a, b]);
  const matches = (tensor: string, pattern: string) => graph.node('RegexFullMatch', [tensor], { pattern: { string: pattern } });
  let time = text;
  for (const half of isHalfDay ? halfDays : []) time = splitText(graph, time, half, [0, 1]).reduce(join);
  for (const utc of ['Z', 'U', 'G']) time = splitText(graph, time, utc, [0])[0]!;
  const [noPlus, east] = splitText(graph, time, '+', [0, 1]) as [string, string];
  const [clock, west] = splitText(graph, noPlus, '-', [0, 1]) as [string, string];
  // '' is no number, '0' is.
  const number = (digits: string) => integer(join(graph.strings(['0'], [1, 1]), digits));
  const [whole] = splitText(graph, clock, '.', [0]) as [string];
  const [hours, minutes, seconds] = splitText(graph, whole, ':', [0, 1, 2]).map(number) as [string, string, string];
  const afternoon = () => mul(graph.node('Cast', [matches(text, '.*[Pp].*')], int64), 12);
  const hour = isHalfDay ? add(mod(hours, 12), afternoon()) : hours;
  const zone = join(east, west);
  const [zoneHours, zoneMinutes] = splitText(graph, zone, ':', [0, 1]).map(number) as [string, string];
  const ahead = graph.node('Where', [
    matches(zone, '[0-9]{4}'),
    add(mul(div(zoneHours, 100), 60), mod(zoneHours, 100)),
    add(mul(zoneHours, 60), zoneMinutes),
  ]);
  return {
    second: add(add(mul(hour, 3600), mul(minutes, 60)), seconds),
    offset: mul(graph.node('Where', [matches(west, '.+'), sub(0, ahead), ahead]), 60),
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
