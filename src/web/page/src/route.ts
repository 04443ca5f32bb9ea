// Where the reader is: what stands behind the `#` of the address.
import { signal } from '@preact/signals';

export interface Place {
  /** The screen's name. */
  screen: string;
  /** What follows it, segment by segment. */
  parts: string[];
  query: URLSearchParams;
}

function read(): Place {
  // A one-time link has something else behind its `#`, which is taken out of sight before anything is shown.
  const hash = location.hash.startsWith('#/') ? location.hash.slice(2) : '';
  const [path = '', query = ''] = hash.split('?', 2);
  const [screen = '', ...parts] = path.split('/').map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return { screen: screen || 'talk', parts: parts.filter((part) => part !== ''), query: new URLSearchParams(query) };
}

export const place = signal<Place>(read());
addEventListener('hashchange', () => (place.value = read()));

/** The address of a screen: `to('talk', [who], { at: id })`. */
export function to(screen: string, parts: string[] = [], query: Record<string, string | undefined> = {}): string {
  const path = [screen, ...parts].map(encodeURIComponent).join('/');
  const asked = new URLSearchParams(Object.entries(query).filter((one): one is [string, string] => one[1] !== undefined));
  return `#/${path}${asked.size ? '?' + asked : ''}`;
}

export function go(hash: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'push') location.hash = hash;
  else {
    history.replaceState(null, '', hash);
    place.value = read();
  }
}
