// Files of what is being written, and what is being recorded, kept in this browser until the message goes: the node keeps the
// words alone. They are sealed as all is that the browser keeps; where it can seal nothing, they last as long as the page.
import { hex } from './hex';
import { beforeLocked } from './lock';
import { forget, get, names, put } from './vault';

/** Names of what is kept here begin so. */
export const DRAFT_FILES = 'files ';
/** Under this, sealed, what makes names of places: who sees the names sees nobody's address. */
export const DRAFT_NAMES = 'draft-names';
/** More than so much of one draft is not kept, */
const BYTES_MAX = 32 * 1024 * 1024;
/** nor of more drafts than these. */
const PLACES_MAX = 8;
const RECORDED = ' recorded';

interface KeptFile {
  name: string;
  type: string;
  /** As base64 has it. */
  bytes: string;
}

/** Whose files: of a conversation, of a thread in it, or of what is being recorded for either. */
export function placeOf(who: string, thread: string | null, isRecorded = false): string {
  return `${who} ${thread ?? ''}${isRecorded ? RECORDED : ''}`;
}

/** What is done comes one after the other, so that what was left out does not come back. */
let turn: Promise<unknown> = Promise.resolve();
beforeLocked(() => turn);

/** Keeps these, or none, in the place of those that were kept. */
export function keepFiles(place: string, files: File[]): void {
  const isBearable = files.length > 0 && files.reduce((sum, file) => sum + file.size, 0) <= BYTES_MAX;
  turn = turn
    .then(async () => {
      const name = await nameOf(place);
      const others = (await names()).filter((one) => one.startsWith(DRAFT_FILES) && one !== name);
      if (isBearable && others.length < PLACES_MAX) await put(name, await Promise.all(files.map(taken)));
      else await forget(name);
    })
    .catch(() => undefined);
}

export async function keptFiles(place: string): Promise<File[]> {
  const found = turn.then(async () => get<KeptFile[]>(await nameOf(place))).catch(() => null);
  turn = found;
  const kept = (await found) ?? [];
  return kept.map(({ name, type, bytes }) => new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name, { type }));
}

/** What a place is called where its files are kept. */
async function nameOf(place: string): Promise<string> {
  const salt = (await navigator.locks.request('dak-draft-names', async () => {
    const known = await get<string>(DRAFT_NAMES);
    if (known) return known;
    const fresh = crypto.randomUUID();
    await put(DRAFT_NAMES, fresh);
    return fresh;
  })) as string;
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`${salt} ${place}`));
  const name = hex(new Uint8Array(digest, 0, 16));
  return `${DRAFT_FILES}${name}${place.endsWith(RECORDED) ? RECORDED : ''}`;
}

async function taken(file: File): Promise<KeptFile> {
  const url = await new Promise<string>((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
  return { name: file.name, type: file.type, bytes: url.slice(url.indexOf(',') + 1) };
}
