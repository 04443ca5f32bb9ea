// An app as it calls itself: its icon, its name and what it says of itself, among the others and where it was sent.
import { useEffect, useState } from 'preact/hooks';
import { ask, bytes } from '../api';
import type { AppRow, AppStartRow } from '../api.types';
import { inLine } from '../safe';
import { useAsked, type Asked } from './ask';
import { Icon } from './icons';

export function AppIcon({ row }: { row: AppRow }) {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (!row.icon) return;
    let made: string | null = null;
    bytes('GET /v1/apps/{id}/icon', { id: row.id }).then(
      (icon) => setUrl((made = URL.createObjectURL(new Blob([icon], { type: 'image/png' })))),
      () => undefined,
    );
    return () => {
      if (made) URL.revokeObjectURL(made);
    };
  }, [row.id, row.icon]);
  return url ? <img class="app-icon" src={url} alt="" /> : <span class="app-icon"><Icon name="app" size={26} /></span>;
}

/** What is edited with it, and how far that is, as it said last. */
export function titlesOf({ document, summary }: AppRow): string {
  return [document, summary].filter((title) => title).map((title) => inLine(title ?? '', 60)).join(' · ');
}

/** The app of a message, as it is now, by its whole id or the beginning of it. */
export function useApp(id: string): Asked<AppStartRow> {
  return useAsked(() => ask('GET /v1/apps/{id}', { id }), [id], {
    onEvents: (row) => row.what === 'update' && !!row.id?.startsWith(id),
    of: ['files'],
  });
}
