/** The publisher's own small image, or the first letter of the name on a colour derived from the name. */
export function ServerIcon({
  name,
  title,
  icon,
}: {
  readonly name: string;
  readonly title: string | undefined;
  readonly icon: string | undefined;
}) {
  if (icon !== undefined) return <img class="server-icon" src={icon} alt="" width="36" height="36" loading="lazy" />;
  const letter = /[\p{L}\p{N}]/u.exec(title ?? name.slice(name.indexOf('/') + 1))?.[0] ?? '?';
  return (
    <span class="server-icon letter" aria-hidden="true" style={{ '--hue': String(hueOf(name)) }}>
      {letter.toUpperCase()}
    </span>
  );
}

/** Maps a name to a hue, evenly distributed (FNV-1a). */
function hueOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return (hash >>> 0) % 360;
}
