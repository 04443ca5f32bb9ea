// Files of what is being written, and what is being recorded, kept in this browser until the message goes: the node keeps the
// words alone. They are sealed as all is that the browser keeps; where it can seal nothing, they last as long as the page.
import { forget, get, put } from './vault';

/** Names of what is kept here begin so. */
export const DRAFT_FILES = 'files ';
/** More than so much of one draft is not kept. */
const BYTES_MAX = 32 * 1024 * 1024;

interface KeptFile {
  name: string;
  type: string;
  /** As base64 has it. */
  bytes: string;
}

/** Whose files: of a conversation, of a thread in it, or of what is being recorded for either. */
export function placeOf(who: string, thread: string | null, isRecorded = false): string {
  return `${DRAFT_FILES}${who} ${thread ?? ''}${isRecorded ? ' recorded' : ''}`;
}

/** What is done comes one after the other, so that what was left out does not come back. */
let turn: Promise<unknown> = Promise.resolve();

/** Keeps these, or none, in the place of those that were kept. */
export function keepFiles(place: string, files: File[]): void {
  const isBearable = files.length > 0 && files.reduce((sum, file) => sum + file.size, 0) <= BYTES_MAX;
  turn = turn
    .then(async () => (isBearable ? put(place, await Promise.all(files.map(taken))) : forget(place)))
    .catch(() => undefined);
}

export async function keptFiles(place: string): Promise<File[]> {
  const found = turn.then(() => get<KeptFile[]>(place)).catch(() => null);
  turn = found;
  const kept = (await found) ?? [];
  return kept.map(({ name, type, bytes }) => new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name, { type }));
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
