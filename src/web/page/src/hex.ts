// Bytes as digits of sixteen, two a byte.

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A name that nobody else gives anything, of so many bytes. */
export function freshHex(bytes: number): string {
  return hex(crypto.getRandomValues(new Uint8Array(bytes)));
}
