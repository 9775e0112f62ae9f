/** Names of persons, in columns that are called so. A column called just `name` may hold towns or goods: given names must occur in it. */
import { shareOf } from './column-sample.ts';
import type { PersonalDetector } from './detector.ts';
import { givenNames } from './given-names.ts';

const named =
  /_((first|given|middle|last|family|maiden|full|fore|sur|birth)_?names?|fname|lname|vorname|nachname|familienname|prenom|nom_(de_famille|complet)|apellidos?|nombre_completo|cognome|voornaam|achternaam|sobrenome|fornavn|etternavn|fornamn|efternamn|imie|nazwisko)_/;
const perhapsNamed =
  /_(name|names|nom|nome|nombre|naam|navn|contact|customer|client|kunde|employee|mitarbeiter|patient|passenger|author|owner|manager|teacher|student|person|member|recipient|sender|doctor|physician|applicant|guest|buyer|seller|agent)_/;
/** Names of something else. */
const otherThing =
  /_(company|firm|product|item|city|town|country|region|state|street|place|station|school|university|hospital|team|club|brand|car|model|file|host|domain|column|table|field|project|department|category|type|species|genus|drug|job|song|album|movie|book|event|store|shop|restaurant|hotel|airport|airline|bank|vendor|supplier|id|count|number|code|date|age|status|segment|since|score|family_name_of)_/;

const particle = /^(van|von|der|den|de|del|della|di|da|dos|du|la|le|el|al|bin|ibn|ben|zu|zur|ter|y|e|af)$/i;
const word = /^[\p{L}][\p{L}\p{M}'’.-]*$/u;
/** Enterprises and institutions, also in a column called after its customers. */
const enterprise =
  /\b(inc|llc|ltd|limited|gmbh|ag|kg|corp|corporation|co|company|plc|s\.?a|s\.?r\.?l|bv|nv|oy|ab|group|holdings?|partners|bank|university|college|school|hospital|hotel|institute|foundation|services|solutions|systems|technologies|industries|store|street|avenue|road|county)\b\.?|&/i;

/** One to six words of letters, most of them capitals at their start; `Last, First` too. */
export function isPersonName(value: string): boolean {
  if (value.length > 80 || enterprise.test(value)) return false;
  const words = value
    .replaceAll(/["“”()]/g, ' ')
    .trim()
    .split(/,?\s+/);
  return words.length <= 7 && words.every((part) => word.test(part)) && words.some((part) => part.length > 1 && !particle.test(part));
}

const hasGivenName = (value: string) =>
  value
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .split(/[^a-z]+/)
    .some((part) => givenNames.has(part));

export const personName: PersonalDetector = {
  kind: 'person name',
  isColumn: ({ words, values }) => {
    if (otherThing.test(words) || shareOf(values, isPersonName) < 0.8) return false;
    if (named.test(words)) return true;
    return perhapsNamed.test(words) && shareOf(values, (value) => isPersonName(value) && hasGivenName(value)) >= 0.2;
  },
};
