// A QR code: dark on light whatever the theme, for a camera wants it so.

import { useMemo } from 'preact/hooks';
import { encode } from 'uqr';

export function Qr({ text, label }: { text: string; label: string }) {
  const drawn = useMemo(() => {
    try {
      const { data, size } = encode(text, { ecc: 'L', border: 3 });
      const rows = data.map((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : '')).join(''));
      return { size, path: rows.join('') };
    } catch {
      // It does not fit; the text stands beside it anyway.
      return undefined;
    }
  }, [text]);
  if (!drawn) return null;
  return (
    <svg class="qr" viewBox={`0 0 ${drawn.size} ${drawn.size}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <rect width={drawn.size} height={drawn.size} fill="#fff" />
      <path d={drawn.path} fill="#000" />
    </svg>
  );
}
