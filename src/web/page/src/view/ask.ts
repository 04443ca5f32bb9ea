// What a screen asks the node for, kept fresh while somebody looks at it.

import { useEffect, useRef, useState } from 'preact/hooks';
import { onAnew, onHappened, type HappenedRow } from '../stream';

export interface Asked<T> {
  /** None before the first answer. */
  value: T | undefined;
  /** Why the last question had no answer; what is known from before stays. */
  error: Error | undefined;
  again(): void;
}

interface Fresh {
  /** What no event tells of is asked again so often, while the page is in sight. */
  everyMs?: number;
  /** It is asked again after an event of the record, or after those that this says it is about. */
  onEvents?: boolean | ((happened: HappenedRow) => boolean);
  /** And after a change of these kinds of things, by whatever tab. */
  of?: readonly string[];
}

/** Events come in bursts; one question answers a whole burst. */
const BURST_MS = 150;

/** Asks when the screen comes, when one of `deps` is another, and whenever `fresh` says so. */
export function useAsked<T>(ask: () => Promise<T>, deps: readonly unknown[], fresh: Fresh = {}): Asked<T> {
  const [seen, setSeen] = useState<{ value?: T; error?: Error; as: string }>({ as: '' });
  const now = useRef(ask);
  now.current = ask;
  const again = useRef<() => void>(() => {});

  useEffect(() => {
    let gone = false;
    let asking = false;
    let stale = false;
    let later: number | undefined;
    const run = async () => {
      if (asking) {
        stale = true;
        return;
      }
      asking = true;
      clearTimeout(later);
      try {
        const value = await now.current();
        // What is the same is not drawn again.
        const as = JSON.stringify(value) ?? '';
        if (!gone) setSeen((before) => (before.as === as && !before.error && as ? before : { value, as }));
      } catch (error) {
        if (!gone) setSeen((before) => ({ ...before, error: error as Error }));
      }
      asking = false;
      if (gone) return;
      if (stale) {
        stale = false;
        void run();
      } else if (fresh.everyMs) {
        later = window.setTimeout(tick, fresh.everyMs);
      }
    };
    const tick = () => {
      if (document.visibilityState === 'visible') void run();
    };
    const soon = () => {
      clearTimeout(later);
      later = window.setTimeout(() => void run(), BURST_MS);
    };
    again.current = () => void run();
    setSeen((before) => (before.as ? { as: '' } : before));
    void run();
    const { onEvents } = fresh;
    const unfollow = onEvents ? onHappened((row) => void ((onEvents === true || onEvents(row)) && soon())) : undefined;
    const unwatch = onAnew((of) => {
      if (of === undefined || fresh.of?.includes(of)) soon();
    });
    if (fresh.everyMs) document.addEventListener('visibilitychange', tick);
    return () => {
      gone = true;
      clearTimeout(later);
      unfollow?.();
      unwatch();
      document.removeEventListener('visibilitychange', tick);
    };
  }, deps);

  return { value: seen.value, error: seen.error, again: () => again.current() };
}

/** Something a person asked for that goes on, and how it ended. */
export interface Doing {
  busy: boolean;
  error: Error | undefined;
  /** Does it, unless it is being done already; true where it was done. */
  run(what: () => Promise<unknown>): Promise<boolean>;
  clear(): void;
}

export function useDoing(): Doing {
  const [state, setState] = useState<{ busy: boolean; error?: Error }>({ busy: false });
  const busy = useRef(false);
  return {
    busy: state.busy,
    error: state.error,
    clear: () => setState({ busy: busy.current }),
    run: async (what) => {
      if (busy.current) return false;
      busy.current = true;
      setState({ busy: true });
      try {
        await what();
        busy.current = false;
        setState({ busy: false });
        return true;
      } catch (error) {
        busy.current = false;
        setState({ busy: false, error: error as Error });
        return false;
      }
    },
  };
}
