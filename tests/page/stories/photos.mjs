// Photographs go smaller and without where they were taken, unless somebody says otherwise: what counts is the bytes that
// are at the other home.
import { equal, field, holds, said, talk, talkWith, until } from '../lib.mjs';

const SIDES = { width: 2400, height: 1200 };

/** A JPEG with what a camera writes beside it: its maker, and where it was. */
async function photo(page) {
  const drawn = await page.evaluate(async ({ width, height }) => {
    const canvas = new OffscreenCanvas(width, height);
    const brush = canvas.getContext('2d');
    brush.fillStyle = '#3a7';
    brush.fillRect(0, 0, width, height);
    brush.fillStyle = '#fff';
    brush.fillRect(200, 200, 600, 300);
    const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/jpeg' })).arrayBuffer());
    return Array.from(bytes);
  }, SIDES);
  const jpeg = Buffer.from(drawn);
  const exif = gps();
  const head = Buffer.from([0xff, 0xe1, 0, 0]);
  head.writeUInt16BE(exif.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), head, exif, jpeg.subarray(2)]);
}

/** EXIF with a maker, and a GPS directory with a latitude in it. */
function gps() {
  const entry = (tag, type, count, value) => {
    const bytes = Buffer.alloc(12);
    bytes.writeUInt16LE(tag, 0);
    bytes.writeUInt16LE(type, 2);
    bytes.writeUInt32LE(count, 4);
    if (typeof value === 'number') bytes.writeUInt32LE(value, 8);
    else value.copy(bytes, 8);
    return bytes;
  };
  const directory = (entries) => {
    const many = Buffer.alloc(2);
    many.writeUInt16LE(entries.length);
    return Buffer.concat([many, ...entries, Buffer.alloc(4)]);
  };
  const maker = Buffer.from('SpyCam 3000\0');
  // The header, then the first directory with two entries, then the maker, then the place.
  const first = 8;
  const makerAt = first + 2 + 2 * 12 + 4;
  const gpsAt = makerAt + maker.length;
  const degreesAt = gpsAt + 2 + 2 * 12 + 4;
  const degrees = Buffer.alloc(24);
  [48, 1, 51, 1, 2940, 100].forEach((n, at) => degrees.writeUInt32LE(n, at * 4));
  const header = Buffer.from([0x49, 0x49, 0x2a, 0, first, 0, 0, 0]);
  return Buffer.concat([
    Buffer.from('Exif\0\0'),
    header,
    directory([entry(0x010f, 2, maker.length, makerAt), entry(0x8825, 4, 1, gpsAt)]),
    maker,
    directory([entry(1, 2, 2, Buffer.from('N\0\0\0')), entry(2, 5, 3, degreesAt)]),
    degrees,
  ]);
}

export default async function ({ people: { alice, bob } }) {
  const [toBob, toAlice] = [await bob.address(), await alice.address()];
  const [hers, his] = [await alice.page(), await bob.page()];
  await talkWith(hers, toBob);
  await talkWith(his, toAlice);
  await field(talk(hers)).waitFor();
  const taken = await photo(hers);
  holds(taken.includes('SpyCam') && taken.includes('Exif'), 'it says where it was taken');
  const send = async (words, how) => {
    await talk(hers).locator('input[type=file]').setInputFiles({ name: 'bridge.jpeg', mimeType: 'image/jpeg', buffer: taken });
    await hers.locator('.chosen li', { hasText: 'bridge.jpeg' }).waitFor();
    if (how) await hers.getByLabel('Photos').selectOption({ label: how });
    await field(talk(hers)).fill(words);
    await field(talk(hers)).press('Enter');
    const message = said(talk(his), words);
    await message.locator('img').waitFor();
    return arrived(his, message);
  };

  const smaller = await send('By the bridge');
  holds(!smaller.bytes.includes('Exif') && !smaller.bytes.includes('SpyCam'), 'neither place nor camera');
  equal([smaller.width, smaller.height], [1600, 800], 'smaller');
  const whole = await send('In full', 'full size, without where they were taken');
  holds(!whole.bytes.includes('Exif') && !whole.bytes.includes('SpyCam'), 'neither place nor camera');
  equal([whole.width, whole.height], [SIDES.width, SIDES.height], 'as large as it was');
  const untouched = await send('As it is', 'as they are, with place and camera');
  holds(untouched.bytes.equals(taken), 'every byte of it');
  // Who does not say so again sends them without.
  const again = await send('Once more');
  holds(!again.bytes.includes('Exif'), 'what was said of one is not said of the next');
}

/** What is there at the other home: its bytes, and how large it is as a picture. */
async function arrived(page, message) {
  await until('the picture is drawn', () => message.locator('img').evaluate((image) => image.complete && image.naturalWidth > 0));
  const [bytes, width, height] = await message.locator('img').evaluate(async (image) => {
    const answer = await fetch(image.src, { headers: { 'dak-page': localStorage.getItem('dak.page') } });
    return [Array.from(new Uint8Array(await answer.arrayBuffer())), image.naturalWidth, image.naturalHeight];
  });
  return { bytes: Buffer.from(bytes), width, height };
}
