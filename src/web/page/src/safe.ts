// What others wrote, made harmless for the eye: the same rules as the program has for a terminal (src/safe_text.rs). What
// would act on its surroundings, or hide, is shown as an escape; letters of every script and marks as people stack them
// stay. Unlike there, joiners inside an emoji that Unicode recommends stay too: here the emoji is seen, and not its joiners.

/** A piece of a text as it is shown. */
export type Piece = { text: string } | { escaped: string } | { link: URL; text: string };

/** Most marks without width that are shown one upon another. */
const STACKED_MAX = 8;

const UNSAFE =
  /[\p{Cc}\u00ad\u034f\u061c\u115f\u1160\u3164\uffa0\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0d\ufeff\ufff0-\ufffb\u{13430}-\u{13440}\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}\p{Co}\p{Noncharacter_Code_Point}\p{Cs}]/u;
const STACKS = /[\p{Mn}\p{Me}\u200b-\u200f\ufe0e\ufe0f]/u;
const ARABIC = /[\u0620-\u065f\u066e-\u06d3\u06d5-\u06dc\u06df-\u06e8\u06ea-\u06ef\u06fa-\u06ff\u0750-\u077f\u08a0-\u08e1\u08e3-\u08ff]/;
const INDIC = /[\u0900-\u0dff]/;

/** Emoji of several characters, as far as this browser knows them. */
const EMOJI = (() => {
  try {
    return new RegExp('\\p{RGI_Emoji}', 'gv');
  } catch {
    return null;
  }
})();

/** A text of one line: names, file names, errors. Line breaks are escaped. */
export function plain(text: string): string {
  return judged(text, false)
    .map((piece) => ('escaped' in piece ? piece.escaped : piece.text))
    .join('');
}

/** What a person wrote in a line: blanks for line breaks, joiners that spell words stay. */
export function inLine(text: string, max = 300): string {
  const cut = [...text.slice(0, max * 2)].slice(0, max).join('');
  const words = cut.replace(/\s+/g, ' ').trim();
  const shown = judged(words, true).map((piece) => ('escaped' in piece ? piece.escaped : piece.text));
  return shown.join('') + (cut.length < text.length ? '…' : '');
}

/** What a person wrote, in pieces; newlines and tabs stay in the text, and addresses of pages are links. */
export function prose(text: string): Piece[] {
  const pieces: Piece[] = [];
  let rest = 0;
  for (const found of text.matchAll(/\bhttps?:\/\/[^\s<>"'`\\^{|}]+/gi)) {
    const typed = found[0].replace(/[.,;:!?)\]*]+$/, '');
    const link = linkOf(typed);
    if (!link) continue;
    pieces.push(...judged(text.slice(rest, found.index), true), { link, text: typed });
    rest = found.index + typed.length;
  }
  pieces.push(...judged(text.slice(rest), true));
  return pieces;
}

/** An address that may be followed: of a page, and without a name and password before the host, which only mislead. */
function linkOf(typed: string): URL | null {
  if (!URL.canParse(typed)) return null;
  const url = new URL(typed);
  const isPage = url.protocol === 'http:' || url.protocol === 'https:';
  return isPage && !url.username && !url.password && url.hostname ? url : null;
}

function judged(text: string, isProse: boolean): ({ text: string } | { escaped: string })[] {
  const pieces: ({ text: string } | { escaped: string })[] = [];
  let shown = '';
  const flush = () => {
    if (shown) pieces.push({ text: shown });
    shown = '';
  };
  const emoji = emojiIn(text);
  let stacked = 0;
  const chars = [...text];
  let at = 0;
  for (let n = 0; n < chars.length; n++) {
    const c = chars[n]!;
    const whole = emoji.get(at);
    if (whole) {
      shown += whole;
      const many = [...whole].length;
      at += whole.length;
      n += many - 1;
      stacked = 0;
      continue;
    }
    at += c.length;
    stacked = STACKS.test(c) ? stacked + 1 : 0;
    const isBreak = isProse && (c === '\n' || c === '\t');
    if (isProse && c === '\r' && chars[n + 1] === '\n') continue;
    const isShown = isBreak || !UNSAFE.test(c) || (isProse && spells(chars[n - 1], c, chars[n + 1]));
    if (isShown && stacked <= STACKED_MAX) {
      shown += c;
      continue;
    }
    stacked = 0;
    flush();
    pieces.push({ escaped: escape(c) });
  }
  flush();
  return pieces;
}

/** Emoji of several characters, by where they begin. */
function emojiIn(text: string): Map<number, string> {
  const found = new Map<number, string>();
  if (EMOJI && /[\u200d\u{e0020}-\u{e007f}]/u.test(text)) {
    for (const one of text.matchAll(EMOJI)) if (one[0].length > 2) found.set(one.index, one[0]);
  }
  return found;
}

/** Whether a joiner stands between letters that it changes the look of. */
function spells(before: string | undefined, c: string, after: string | undefined): boolean {
  if (c !== '\u200c' && c !== '\u200d') return false;
  if (!before || !after) return false;
  return (ARABIC.test(before) && ARABIC.test(after)) || (INDIC.test(before) && INDIC.test(after));
}

function escape(c: string): string {
  if (c === '\n') return '\\n';
  if (c === '\r') return '\\r';
  if (c === '\t') return '\\t';
  return `\\u{${c.codePointAt(0)!.toString(16)}}`;
}
