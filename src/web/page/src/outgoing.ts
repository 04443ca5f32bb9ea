// A message on its way from the page to the node: its files are drawn anew where they are photographs, ride inside where
// they are small, and are brought before it where they are not.
import { upload } from './api';
import type { Compose, SentRow, Upload } from './api.types';
import { hex } from './hex';
import { post } from './outbox';
import { redrawn } from './pictures';

/** Larger files go in parts. */
const INSIDE_BYTES_MAX = 64 * 1024;
/** All that rides inside, words and all, has room in one message. */
const INSIDE_ALL_MAX = 800 * 1024;

/** How photographs go: smaller, whole, or as they are, with where they were taken. */
export type Photos = 'smaller' | 'whole' | 'untouched';

export interface Chosen {
  key: number;
  file: File;
  isPhoto: boolean;
  /** How much of it went, while it goes. */
  part: number | null;
}

/** Sends words with files, or has them wait for the node; `onPart` hears how far each file is. */
export async function sendOut(
  words: Compose,
  files: Chosen[],
  photos: Photos,
  onPart: (key: number, part: number) => void,
  signal: AbortSignal,
): Promise<SentRow | 'waits'> {
  const attachments: Compose['attachments'] = [];
  const uploads: Upload[] = [];
  let inside = words.text?.length ?? 0;
  for (const { key, file, isPhoto } of files) {
    onPart(key, 0);
    const ready = isPhoto && photos !== 'untouched' ? await redrawn(file, photos === 'smaller') : file;
    if (ready.size <= INSIDE_BYTES_MAX && inside + ready.size <= INSIDE_ALL_MAX) {
      inside += ready.size;
      attachments.push({ name: ready.name, hex: hex(new Uint8Array(await ready.arrayBuffer())) });
    } else {
      const { id, name } = await upload(ready, (part) => onPart(key, part), signal);
      uploads.push({ id, name });
    }
    onPart(key, 1);
  }
  return post({ ...words, attachments, uploads }, signal);
}
