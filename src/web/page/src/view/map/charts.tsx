// Room and traffic over time, as small charts that can be read exactly.

import { useId, useMemo, useRef, useState } from 'preact/hooks';
import type { StatsRow as Stats } from '../../api';
import { size, when } from '../../times';
import { number, t } from '../../words';
import { Tabs } from '../kit';

interface Point {
  at: number;
  value: number;
}

export type Range = 'day' | 'month';

const DAY_MS = 86_400_000;
/** As many bars as a narrow screen can show apart. */
const BINS = { day: 48, month: 60 };
const WIDTH = 320;
const HEIGHT = 84;

/** Rows of the last day or month in as many equal spans as are drawn. `sum` says whether a span adds up or ends so. */
export function binned(rows: readonly Stats[], range: Range, now: number, of: (row: Stats) => number, sum: boolean): Point[] {
  const length = (range === 'day' ? DAY_MS : 30 * DAY_MS) / BINS[range];
  const from = now - length * BINS[range];
  const points = Array.from({ length: BINS[range] }, (_, n) => ({ at: from + (n + 1) * length, value: Number.NaN }));
  for (const row of rows) {
    if (!row.at) continue;
    const at = Date.parse(row.at);
    const n = Math.min(BINS[range] - 1, Math.floor((at - from) / length));
    if (n < 0) continue;
    const point = points[n];
    const value = of(row);
    if (point) point.value = sum && !Number.isNaN(point.value) ? point.value + value : value;
  }
  return points;
}

export function Charts({ rows }: { rows: readonly Stats[] }) {
  const [range, setRange] = useState<Range>('day');
  const charts = useMemo(() => {
    const now = rows.reduce((last, row) => Math.max(last, row.at ? Date.parse(row.at) : 0), 0) || Date.now();
    const series = (of: (row: Stats) => number, sum: boolean) => binned(rows, range, now, of, sum);
    return [
      { key: 'contacts', kind: 'bars', format: number, sets: [{ name: t('stats.title_contacts'), points: series((row) => row.contacts, true) }] },
      { key: 'backlog', kind: 'line', format: number, sets: [{ name: t('stats.title_backlog'), points: series((row) => row.backlog, false) }] },
      {
        key: 'traffic',
        kind: 'bars',
        format: size,
        sets: [
          { name: t('stats.in'), points: series((row) => row.bytes_in, true) },
          { name: t('stats.out'), points: series((row) => row.bytes_out, true) },
        ],
      },
      { key: 'stored', kind: 'line', format: size, sets: [{ name: t('stats.title_stored'), points: series((row) => row.store_bytes, false) }] },
    ] as const;
  }, [rows, range]);
  return (
    <>
      <Tabs
        label={t('stats.range')}
        value={range}
        onChange={setRange}
        options={[
          ['day', t('stats.day')],
          ['month', t('stats.month')],
        ]}
      />
      <div class="charts">
        {charts.map((chart) => (
          <Chart key={chart.key} title={t(`stats.title_${chart.key}`)} note={t(`stats.note_${chart.key}`)} kind={chart.kind} format={chart.format} sets={chart.sets} />
        ))}
      </div>
    </>
  );
}

function Chart(props: {
  title: string;
  note: string;
  kind: 'bars' | 'line';
  format: (value: number) => string;
  sets: readonly { name: string; points: readonly Point[] }[];
}) {
  const { sets, format } = props;
  const [at, setAt] = useState<number | undefined>();
  const id = useId();
  const svg = useRef<SVGSVGElement>(null);
  const count = sets[0]?.points.length ?? 0;
  const at_ = (n: number) => when(new Date(sets[0]?.points[n]?.at ?? 0).toISOString());
  const values = sets.flatMap((set) => set.points.map((point) => point.value)).filter((value) => !Number.isNaN(value));
  const isEmpty = values.length === 0;
  const top = niceTop(Math.max(0, ...values));
  const x = (n: number) => ((n + 0.5) / count) * WIDTH;
  const y = (value: number) => HEIGHT - 2 - (value / top) * (HEIGHT - 10);
  const last = sets.map((set) => [...set.points].reverse().find((point) => !Number.isNaN(point.value)));
  const total = (n: number) => (sets[n]?.points ?? []).reduce((sum, point) => sum + (Number.isNaN(point.value) ? 0 : point.value), 0);
  const figure = (n: number) => (props.kind === 'bars' ? total(n) : (last[n]?.value ?? 0));
  const point = (n: number) => {
    const shown = sets.map((set) => {
      const value = set.points[n]?.value ?? Number.NaN;
      const words = Number.isNaN(value) ? t('stats.none') : format(value);
      return sets.length > 1 ? t('stats.named', { name: set.name, value: words }) : words;
    });
    return t('stats.point', { at: at_(n), values: shown.join(', ') });
  };
  const seek = (clientX: number) => {
    const box = svg.current?.getBoundingClientRect();
    if (box) setAt(Math.max(0, Math.min(count - 1, Math.floor(((clientX - box.left) / box.width) * count))));
  };
  const keys = (event: KeyboardEvent) => {
    const turn = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!turn) return;
    event.preventDefault();
    setAt((at) => Math.max(0, Math.min(count - 1, (at ?? count) + turn)));
  };
  return (
    <figure class="chart" aria-labelledby={id}>
      <figcaption>
        <span id={id} class="chart-title">
          {props.title}
        </span>
        <span class="chart-figure">
          {sets.map((set, n) => (
            <span key={set.name} class={`chart-key set-${n}`}>
              {sets.length > 1 && <i aria-hidden="true" />}
              {sets.length > 1 ? `${set.name} ` : ''}
              <b>{isEmpty ? '–' : format(figure(n))}</b>
            </span>
          ))}
        </span>
        <span class="dim chart-note">{props.note}</span>
      </figcaption>
      <svg
        ref={svg}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="slider"
        tabIndex={0}
        aria-label={props.title}
        aria-valuemin={0}
        aria-valuemax={count - 1}
        aria-valuenow={at ?? count - 1}
        aria-valuetext={point(at ?? count - 1)}
        onKeyDown={keys}
        onFocus={() => setAt((at) => at ?? count - 1)}
        onBlur={() => setAt(undefined)}
        onPointerMove={(event) => seek(event.clientX)}
        onPointerLeave={() => setAt(undefined)}
      >
        <line class="chart-base" x1="0" x2={WIDTH} y1={HEIGHT - 1.5} y2={HEIGHT - 1.5} />
        <line class="chart-grid" x1="0" x2={WIDTH} y1={y(top)} y2={y(top)} />
        <line class="chart-grid" x1="0" x2={WIDTH} y1={y(top / 2)} y2={y(top / 2)} />
        {at !== undefined && <rect class="chart-at" x={(at / count) * WIDTH} y="0" width={WIDTH / count} height={HEIGHT} />}
        {sets.map((set, n) =>
          props.kind === 'bars' ? (
            <path key={n} class={`chart-bars set-${n}`} d={bars(set.points, n, sets.length, x, y)} />
          ) : (
            <g key={n} class={`set-${n}`}>
              <path class="chart-area" d={area(set.points, x, y)} />
              <path class="chart-line" d={line(set.points, x, y)} />
            </g>
          ),
        )}
      </svg>
      <p class="chart-axis quiet" aria-hidden="true">
        <span>{at_(0)}</span>
        <span class="chart-says">{at !== undefined ? point(at) : t('stats.top', { value: format(top) })}</span>
        <span>{t('stats.now')}</span>
      </p>
    </figure>
  );
}

/** The next round number above. */
export function niceTop(value: number): number {
  if (value <= 0) return 1;
  const unit = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((step) => step * unit >= value) ?? 10) * unit;
}

function bars(points: readonly Point[], n: number, of: number, x: (n: number) => number, y: (value: number) => number): string {
  const width = (WIDTH / points.length) * 0.72;
  const part = width / of;
  const bar = (point: Point, at: number) => {
    if (!(point.value > 0)) return '';
    const left = x(at) - width / 2 + n * part;
    const height = Math.max(1.5, HEIGHT - 2 - y(point.value));
    return `M${left.toFixed(1)} ${HEIGHT - 2}v${(-height).toFixed(1)}h${part.toFixed(1)}v${height.toFixed(1)}z`;
  };
  return points.map(bar).join('');
}

/** Stretches of a line; where nothing is known there is a gap. */
function line(points: readonly Point[], x: (n: number) => number, y: (value: number) => number): string {
  let pen = 'M';
  let path = '';
  points.forEach((point, n) => {
    if (Number.isNaN(point.value)) {
      pen = 'M';
      return;
    }
    path += `${pen}${x(n).toFixed(1)} ${y(point.value).toFixed(1)}`;
    // A lone one is a dot.
    if (pen === 'M' && Number.isNaN(points[n + 1]?.value ?? Number.NaN)) path += 'h0.1';
    pen = 'L';
  });
  return path;
}

function area(points: readonly Point[], x: (n: number) => number, y: (value: number) => number): string {
  let path = '';
  let from = -1;
  points.forEach((point, n) => {
    const ends = n === points.length - 1 || Number.isNaN(points[n + 1]?.value ?? Number.NaN);
    if (Number.isNaN(point.value)) return;
    if (from < 0) {
      from = n;
      path += `M${x(n).toFixed(1)} ${HEIGHT - 2}`;
    }
    path += `L${x(n).toFixed(1)} ${y(point.value).toFixed(1)}`;
    if (ends) {
      path += `L${x(n).toFixed(1)} ${HEIGHT - 2}z`;
      from = -1;
    }
  });
  return path;
}
