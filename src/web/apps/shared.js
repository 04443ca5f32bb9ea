// What two of the apps have in common: values of which the latest counts, whatever comes in which order.

/** The latest value of each key: by a count that only rises, then by who set it. Equal sets of settings give equal values. */
export class Latest {
  values = new Map();
  count = 0;

  /** Takes a setting in; says whether it counts. */
  take({ key, value, n, by }) {
    if (typeof key !== 'string' || !Number.isSafeInteger(n) || typeof by !== 'string') return false;
    this.count = Math.max(this.count, n);
    const before = this.values.get(key);
    if (before && (before.n > n || (before.n === n && before.by >= by))) return false;
    this.values.set(key, { value, n, by });
    return true;
  }

  get(key) {
    return this.values.get(key)?.value;
  }

  /** A setting that counts before all that are known here. */
  make(key, value) {
    return { key, value, n: this.count + 1, by: webxdc.selfAddr };
  }

  *under(start) {
    for (const [key, { value, n, by }] of this.values) if (key.startsWith(start)) yield { key: key.slice(start.length), value, n, by };
  }
}

/** An element, with what it has and what is in it. Text is never anything else than text. */
export function make(name, has = {}, ...inside) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(has)) {
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (key in element && key !== 'list') element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...inside.filter((one) => one !== null && one !== undefined && one !== false));
  return element;
}

/** Draws once, however often it is asked to before the next frame. */
export function once(draw) {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    queueMicrotask(() => {
      isDue = false;
      draw();
    });
  };
}

/** Another name for something, that nothing else has. */
export function fresh() {
  return crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

export const words = (value, most = 500) => (typeof value === 'string' ? value.slice(0, most) : '');
