const compiled = new Map<string, RegExp>();

/** A wildcard of the policy language: `*` any characters, `?` any one. */
export function pattern(text: string, flags = ''): RegExp {
  const known = compiled.get(`${flags}/${text}`);
  if (known) return known;
  const source = text
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const made = new RegExp(`^${source}$`, `s${flags}`);
  compiled.set(`${flags}/${text}`, made);
  return made;
}
