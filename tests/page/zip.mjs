import { deflateRawSync } from 'node:zlib';

/** A zip whose files are packed at this level; or of parts that say for themselves how: `level`, `descriptor` (sizes come
 * behind the bytes), `large` (sizes of 64 bits). With `large` its directory is found by the records of large archives. */
export function container(files, level, { large = false, comment = '' } = {}) {
  const all = Array.isArray(files) ? files : Object.entries(files).map(([name, bytes]) => ({ name, bytes, level }));
  const [parts, directory] = [[], []];
  let at = 0;
  for (const one of all) {
    const name = Buffer.from(one.name);
    const bytes = Buffer.from(one.bytes ?? '');
    const packed = one.level === undefined ? bytes : deflateRawSync(bytes, { level: one.level });
    const of = { flags: 0x800 | (one.descriptor ? 8 : 0), method: one.level === undefined ? 0 : 8, name, at };
    const sum = crc(bytes);
    const known = { ...of, sum, packed: packed.length, bytes: bytes.length, large: one.large };
    const head = header(one.descriptor ? { ...of, sum: 0, packed: 0, bytes: 0 } : known);
    const behind = one.descriptor ? Buffer.concat([Buffer.from('PK\x07\x08'), u32(sum), u32(packed.length), u32(bytes.length)]) : Buffer.alloc(0);
    directory.push(entry(known));
    parts.push(head, packed, behind);
    at += head.length + packed.length + behind.length;
  }
  const entries = Buffer.concat(directory);
  const many = all.length;
  const records = [];
  if (large) {
    records.push(Buffer.from('PK\x06\x06'), u64(44), u16(45), u16(45), u32(0), u32(0), u64(many), u64(many), u64(entries.length), u64(at));
    records.push(Buffer.from('PK\x06\x07'), u32(0), u64(at + entries.length), u32(1));
  }
  const [count, size, start] = large ? [0xffff, 0xffffffff, 0xffffffff] : [many, entries.length, at];
  records.push(Buffer.from('PK\x05\x06'), u16(0), u16(0), u16(count), u16(count), u32(size), u32(start), u16(Buffer.byteLength(comment)), Buffer.from(comment));
  return Buffer.concat([...parts, entries, ...records]);
}

function header({ flags, method, name, sum, packed, bytes }) {
  return Buffer.concat([Buffer.from('PK\x03\x04'), u16(20), u16(flags), u16(method), u32(0), u32(sum), u32(packed), u32(bytes), u16(name.length), u16(0), name]);
}

function entry({ flags, method, name, sum, packed, bytes, at, large }) {
  const more = large ? Buffer.concat([u16(1), u16(16), u64(bytes), u64(packed)]) : Buffer.alloc(0);
  const [long, short] = large ? [0xffffffff, 0xffffffff] : [bytes, packed];
  return Buffer.concat([
    Buffer.from('PK\x01\x02'), u16(0x314), u16(20), u16(flags), u16(method), u32(0), u32(sum), u32(short), u32(long),
    u16(name.length), u16(more.length), u16(0), u16(0), u16(0), u32(0), u32(at), name, more,
  ]);
}

function u16(n) {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(n);
  return bytes;
}

function u32(n) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(n);
  return bytes;
}

function u64(n) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(n));
  return bytes;
}

// A zip whose files are stored as they are: enough of a container for an app.
export function stored(files) {
  const [parts, directory] = [[], []];
  let at = 0;
  for (const [name, text] of Object.entries(files)) {
    const bytes = Buffer.isBuffer(text) ? text : Buffer.from(text);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc(bytes), 10);
    common.writeUInt32LE(bytes.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const head = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), bytes]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(at, 10);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.from([20, 3]), common, tail, Buffer.from(name)]));
    parts.push(head);
    at += head.length;
  }
  const entries = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(directory.length, 4);
  end.writeUInt16LE(directory.length, 6);
  end.writeUInt32LE(entries.length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...parts, entries, Buffer.from('PK\x05\x06'), end]);
}

function crc(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let n = 0; n < 8; n++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
