// Whether the clock of this device agrees with the node's: a phone's may be years off, and then all times on the page are, and in
// the local network the browser may believe no certificate.
import { signal } from '@preact/signals';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Certificates are renewed long before; whoever was away for longer may have a clock that is ahead. */
const LONG_MS = 150 * DAY_MS;

/** By how much this device's clock is ahead of the node's, in whole hours as milliseconds; 0 where nobody need care. */
export const clockAhead = signal(0);

/** The node says its time with every answer. */
export function compareClocks(said: string | null): void {
  const there = Date.parse(said ?? '');
  // Answers are a while on their way, and hours are what people see on the page.
  if (!Number.isNaN(there)) clockAhead.value = Math.trunc((Date.now() - there) / HOUR_MS) * HOUR_MS;
}

/** Whether a node that was heard of last then is out of reach because the clock here is off, as far as anybody here can tell. */
export function mayBeOff(heardAt: string): boolean {
  const ago = Date.now() - Date.parse(heardAt);
  return ago < -HOUR_MS || ago > LONG_MS;
}
