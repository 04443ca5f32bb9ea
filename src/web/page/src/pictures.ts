// Pictures, before anything decodes them: how large they say to be, so that a few bytes cannot ask for gigabytes of memory.
// And one's own before they are sent: drawn anew, which leaves out where they were taken and with what.

/** Most dots that are decoded: 40 megapixels take 160 MB. */
const DOTS_MAX = 40_000_000;
/** The longer side of a picture that was made smaller. */
const SIDE_MAX = 1600;
const SMALLER_QUALITY = 0.82;
const WHOLE_QUALITY = 0.92;

export interface Size {
  width: number;
  height: number;
}

/** So many bytes are enough to find the size. */
export const HEAD_BYTES = 262_144;

/** Whether a picture of that size is shown. */
export function isBearable(size: Size | null): size is Size {
  return size !== null && size.width > 0 && size.height > 0 && size.width * size.height <= DOTS_MAX;
}

/** The size that a picture declares; none where it is of no kind that is known here. */
export function declaredSize(bytes: Uint8Array): Size | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const is = (at: number, text: string) => [...text].every((c, n) => bytes[at + n] === c.charCodeAt(0));
  try {
    if (is(1, 'PNG') && is(12, 'IHDR')) return { width: view.getUint32(16), height: view.getUint32(20) };
    if (is(0, 'GIF8')) return gif(bytes, view);
    if (is(0, 'RIFF') && is(8, 'WEBP')) return webp(view, is);
    if (bytes[0] === 0xff && bytes[1] === 0xd8) return jpeg(bytes, view);
    if (is(4, 'ftyp')) return largest(bytes, view);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return null;
}

/** A picture's frames may be larger than the screen that it declares. */
function gif(bytes: Uint8Array, view: DataView): Size {
  let [width, height] = [view.getUint16(6, true), view.getUint16(8, true)];
  const table = (flags: number) => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
  let at = 13 + table(view.getUint8(10));
  while (at < bytes.length) {
    const block = view.getUint8(at);
    if (block === 0x2c) {
      width = Math.max(width, view.getUint16(at + 1, true) + view.getUint16(at + 5, true));
      height = Math.max(height, view.getUint16(at + 3, true) + view.getUint16(at + 7, true));
      at += 11 + table(view.getUint8(at + 9));
    } else if (block === 0x21) at += 2;
    else break;
    while (at < bytes.length && view.getUint8(at) !== 0) at += view.getUint8(at) + 1;
    at += 1;
  }
  return { width, height };
}

function webp(view: DataView, is: (at: number, text: string) => boolean): Size | null {
  const three = (at: number) => view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
  if (is(12, 'VP8X')) return { width: three(24) + 1, height: three(27) + 1 };
  if (is(12, 'VP8 ')) return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  if (is(12, 'VP8L')) {
    const bits = view.getUint32(21, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 };
  }
  return null;
}

/** The largest of the frames that it declares. */
function jpeg(bytes: Uint8Array, view: DataView): Size | null {
  let found: Size | null = null;
  for (let at = 2; at + 9 < bytes.length; ) {
    if (bytes[at] !== 0xff) return found;
    const mark = bytes[at + 1]!;
    if (mark === 0xff || (mark >= 0xd0 && mark <= 0xd8) || mark === 0x01) {
      at += mark === 0xff ? 1 : 2;
      continue;
    }
    // The picture itself begins, and nothing that declares a size follows.
    if (mark === 0xda || mark === 0xd9) return found;
    if (mark >= 0xc0 && mark <= 0xcf && mark !== 0xc4 && mark !== 0xc8 && mark !== 0xcc) {
      const size = { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
      if (!found || size.width * size.height > found.width * found.height) found = size;
    }
    at += 2 + view.getUint16(at + 2);
  }
  return found;
}

/** Of an AVIF the largest of the extents that it declares. */
function largest(bytes: Uint8Array, view: DataView): Size | null {
  let found: Size | null = null;
  for (let at = 0; at + 16 < bytes.length; at++) {
    if (bytes[at] !== 0x69 || bytes[at + 1] !== 0x73 || bytes[at + 2] !== 0x70 || bytes[at + 3] !== 0x65) continue;
    const size = { width: view.getUint32(at + 8), height: view.getUint32(at + 12) };
    if (!found || size.width * size.height > found.width * found.height) found = size;
  }
  return found;
}

const PICTURE = /\.(png|jpe?g|gif|webp|avif)$/i;
const SOUND = /\.(weba|oga|ogg|opus|mp3|m4a|aac|wav|flac)$/i;
const FILM = /\.(webm|mp4|m4v|mov|ogv)$/i;

/** How a file is shown, by its name. */
export function kindOf(name: string): 'picture' | 'sound' | 'film' | 'app' | 'other' {
  if (PICTURE.test(name)) return 'picture';
  if (SOUND.test(name)) return 'sound';
  if (FILM.test(name)) return 'film';
  return /\.xdc$/i.test(name) ? 'app' : 'other';
}

/** Whether a file is a picture that can be drawn anew, and of a size that this is done with. */
export async function isPhoto(file: File): Promise<boolean> {
  if (!/^image\/(jpeg|png|webp|avif)$/.test(file.type)) return false;
  return isBearable(declaredSize(new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer())));
}

/** The picture drawn anew: without what was written beside it, and smaller where that is wanted. */
export async function redrawn(file: File, isSmaller: boolean): Promise<File> {
  const picture = await createImageBitmap(file, { imageOrientation: 'from-image' });
  try {
    const scale = isSmaller ? Math.min(1, SIDE_MAX / Math.max(picture.width, picture.height)) : 1;
    const [width, height] = [picture.width, picture.height].map((side) => Math.max(1, Math.round(side * scale)));
    const canvas = new OffscreenCanvas(width!, height!);
    const brush = canvas.getContext('2d');
    if (!brush) return file;
    // A sharp drawing stays sharp; a photograph becomes small.
    const type = file.type === 'image/png' && !isSmaller ? 'image/png' : 'image/jpeg';
    if (type === 'image/jpeg') {
      brush.fillStyle = '#ffffff';
      brush.fillRect(0, 0, width!, height!);
    }
    brush.imageSmoothingQuality = 'high';
    brush.drawImage(picture, 0, 0, width!, height!);
    const quality = isSmaller ? SMALLER_QUALITY : WHOLE_QUALITY;
    const blob = await canvas.convertToBlob({ type, quality });
    const name = file.name.replace(/\.\w+$/, '') + (type === 'image/png' ? '.png' : '.jpg');
    return new File([blob], name, { type });
  } finally {
    picture.close();
  }
}
