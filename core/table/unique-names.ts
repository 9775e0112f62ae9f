/** Names as a table needs them: none empty, none twice. Cleaning names a file's columns by them, and serving those of a request in CSV. */

export const withoutName = 'column without a name → named';

/**
 * Of two names that SQL does not tell apart (`a` and `A`), the second is renamed.
 * @returns the names, and what was changed
 */
export function uniqueNames(raw: readonly string[]): { names: string[]; changes: { column: string; reason: string }[] } {
  const taken = new Set(raw.map((name) => tidy(name).toLowerCase()));
  const used = new Set<string>();
  const changes: { column: string; reason: string }[] = [];
  const names = raw.map((original, index) => {
    const wanted = tidy(original) || `column${index + 1}`;
    let name = wanted;
    for (let n = 2; used.has(name.toLowerCase()) || (name !== tidy(original) && taken.has(name.toLowerCase())); n++)
      name = `${wanted}_${n}`;
    used.add(name.toLowerCase());
    if (tidy(original) === '') changes.push({ column: name, reason: withoutName });
    else if (name !== wanted) changes.push({ column: name, reason: `second column named '${wanted}' → renamed` });
    return name;
  });
  return { names, changes };
}

const tidy = (name: string) => name.replaceAll('\0', '').trim();
