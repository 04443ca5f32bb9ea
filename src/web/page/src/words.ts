// Everything that the page says comes out of one catalogue by its key. `?lang=pseudo` shows each of its texts lengthened and
// in brackets, so that a test sees what was written past it and what does not fit.
import type { ComponentChildren } from 'preact';
import { en } from './words/en';

export type WordKey = keyof typeof en;
/** A text, or the forms that a number takes. */
export type Said = string | { one: string; other: string };

type Values = Record<string, string | number>;
type Pieces = Record<string, ComponentChildren>;

const catalogue: Record<string, Said> = en;
const plural = new Intl.PluralRules('en');
const isPseudo = new URLSearchParams(location.search).get('lang') === 'pseudo';

/** In which the page speaks of times and numbers: as this reader writes them, where that is the catalogue's language. */
export const locale = navigator.languages.find((one) => /^en\b/.test(one)) ?? 'en-GB';
const numbers = new Intl.NumberFormat(locale);

/** A text with its `{places}` filled in; `count` chooses among the forms of a number. */
export function t(key: WordKey, values: Values = {}): string {
  return form(key, values).replace(/\{(\w+)\}/g, (place, name: string) => shown(values[name]) ?? place);
}

/** The same for places that hold more than text: a name that is set apart, a time with its machine-readable form. */
export function tx(key: WordKey, pieces: Pieces): ComponentChildren[] {
  const count = pieces['count'];
  const text = form(key, typeof count === 'number' ? { count } : {});
  return text.split(/(\{\w+\})/).map((part) => {
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (!name || !(name in pieces)) return part;
    const piece = pieces[name];
    return typeof piece === 'number' ? numbers.format(piece) : piece;
  });
}

/** Whether there is such a text: for keys that are put together. */
export function hasWords(key: string): key is WordKey {
  return key in catalogue;
}

export function number(value: number): string {
  return numbers.format(value);
}

function shown(value: string | number | undefined): string | undefined {
  return typeof value === 'number' ? numbers.format(value) : value;
}

function form(key: WordKey, values: Values): string {
  const said = catalogue[key] ?? key;
  const count = values['count'];
  const text = typeof said === 'string' ? said : plural.select(Number(count)) === 'one' ? said.one : said.other;
  return isPseudo ? pseudo(text) : text;
}

const accents: Record<string, string> = { a: 'á', e: 'é', i: 'ï', o: 'ö', u: 'ü', A: 'Å', E: 'É', I: 'Î', O: 'Ø', U: 'Û', n: 'ñ', s: 'š', c: 'ç' };

function pseudo(text: string): string {
  const told = text.replace(/(\{\w+\})|([a-zA-Z])/g, (all, place?: string) => place ?? accents[all] ?? all);
  return `[${told}${'~'.repeat(Math.ceil(text.length * 0.3))}]`;
}
