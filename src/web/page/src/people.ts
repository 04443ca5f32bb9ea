// How people and nodes are called: by the name that this person gave them, else by the end of their id, with what they call
// themselves in quotes, since anybody can call himself anything.
import type { PersonRow } from './api.types';
import { plain } from './safe';
import { t } from './words';

const PEER_DIGITS = 10;

/** The id in an address such as `dak:12D3Koo…?…`, or the address where it has none. */
export function peerOf(address: string): string {
  return /^dak:([1-9A-HJ-NP-Za-km-z]+)/.exec(address)?.[1] ?? address;
}

/** A name that this person gave, or the address of whom they gave none. */
export function called(nameOrAddress: string, nickname?: string | null): string {
  const isAddress = /^(dak:|12D3Koo|dtn:)/.test(nameOrAddress);
  const name = isAddress ? peerOf(nameOrAddress).slice(-PEER_DIGITS) : plain(nameOrAddress);
  return nickname ? t('names.by_itself', { name, nickname: plain(nickname) }) : name;
}

export function person(row: PersonRow, nickname?: string | null): string {
  return called(row.name ?? row.address, row.name ? null : nickname);
}

/** One of a few colours, always the same of the same address. */
export function hue(address: string): number {
  let sum = 0;
  for (const c of peerOf(address)) sum = (sum * 31 + c.charCodeAt(0)) % 9973;
  return sum % 8;
}

/** One or two letters to stand for a name. */
export function initials(name: string): string {
  const words = name.split(/[\s._-]+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const first = (word: string | undefined) => [...(word ?? '')].find((c) => /[\p{L}\p{N}]/u.test(c)) ?? '';
  const letters = words.length > 1 ? first(words[0]) + first(words.at(-1)) : first(words[0]);
  return letters.toLocaleUpperCase() || '?';
}
