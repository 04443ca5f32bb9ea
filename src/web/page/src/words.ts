// Everything that the page says comes out of a catalogue by its key. The English one is whole by itself; each of the others has
// the same keys with the same places, which the build sees to, and is fetched where it is wanted. `?lang=pseudo` shows each
// English text lengthened and in brackets, so that a test sees what was written past it and what does not fit.
import type { ComponentChildren } from 'preact';
import { kept } from './settings';
import { en } from './words/en';

export type WordKey = keyof typeof en;
/** A text, or the forms that a number takes. */
export type Said = string | { one: string; other: string };

type Values = Record<string, string | number>;
type Pieces = Record<string, ComponentChildren>;

/** A text for each of the English ones, of the same form. */
export type Catalogue = { readonly [K in WordKey]: (typeof en)[K] extends string ? string : { one: string; other: string } };

/** What the languages call themselves, how they are written, and where their words are. */
export const LANGUAGES = {
  en: { name: 'English', dir: 'ltr', usual: 'en-GB', words: async (): Promise<Catalogue> => en },
  de: { name: 'Deutsch', dir: 'ltr', usual: 'de-DE', words: async (): Promise<Catalogue> => (await import('./words/de')).de },
} as const;
export type Language = keyof typeof LANGUAGES;

/** The language that was chosen here; `auto` is that of the browser, as far as the page speaks it. */
export const chosenLanguage = kept<string>('language', 'auto', ['auto', ...Object.keys(LANGUAGES)]);
const isPseudo = new URLSearchParams(location.search).get('lang') === 'pseudo';
const language = isPseudo ? 'en' : languageOf(chosenLanguage.peek());

let catalogue: Record<string, Said> = en;
const plural = new Intl.PluralRules(language);

/** In which the page speaks of times and numbers: as this reader writes them, where that is the catalogue's language. */
export const locale = navigator.languages.find((one) => isIn(one, language)) ?? LANGUAGES[language].usual;
const numbers = new Intl.NumberFormat(locale);

function languageOf(chosen: string): Language {
  if (chosen in LANGUAGES) return chosen as Language;
  for (const one of navigator.languages) {
    for (const known of Object.keys(LANGUAGES) as Language[]) if (isIn(one, known)) return known;
  }
  return 'en';
}

function isIn(tag: string, language: string): boolean {
  return tag.toLowerCase().split('-')[0] === language;
}

/** Has the words here before anything is said. Where they cannot be fetched the page speaks English. */
export async function takeWords(): Promise<void> {
  const { dir, words } = LANGUAGES[language];
  try {
    catalogue = await words();
    document.documentElement.lang = language;
    document.documentElement.dir = dir;
  } catch {
    document.documentElement.lang = 'en';
  }
}

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
  return key in en;
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
