// A list of things to do, ticked off together. What counts of each thing is the latest that was said of it, so that it is the
// same list whatever came when.
import { Latest, fresh, make, once, words } from '../shared.js';

const known = new Latest();
const at = (id) => document.getElementById(id);
const draw = once(drawn);
let focusAt = null;

function items() {
  const all = [...known.under('item:')].map(({ key, value }) => ({ id: key, what: words(value?.what, 200), at: Number(value?.at) || 0, tick: known.get(`tick:${key}`) }));
  return all.filter(({ id, what }) => what && !known.get(`gone:${id}`)).sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
}

function say(settings, info) {
  settings.forEach((setting) => known.take(setting));
  const all = items();
  const done = all.filter(({ tick }) => tick?.on).length;
  const document = words(known.get('title'), 80);
  webxdc.sendUpdate({ payload: { set: settings }, summary: all.length ? `${done} of ${all.length} done` : 'empty', ...(document && { document }), ...(info && { info }) }, '');
  draw();
}

function drawn() {
  const all = items();
  const done = all.filter(({ tick }) => tick?.on).length;
  at('how').textContent = all.length ? `${done} of ${all.length} done` : 'Nothing to do yet. What you add, everybody sees.';
  at('part').value = all.length ? done / all.length : 0;
  if (document.activeElement !== at('title')) at('title').value = words(known.get('title'), 80);
  const before = document.activeElement?.closest?.('li')?.dataset.id;
  const role = document.activeElement?.dataset?.role;
  at('items').replaceChildren(
    ...all.map(({ id, what, tick }) =>
      make(
        'li',
        { className: tick?.on ? 'done' : '', 'data-id': id },
        make(
          'label',
          {},
          make('input', { type: 'checkbox', checked: !!tick?.on, 'data-role': 'tick', onchange: (event) => say([known.make(`tick:${id}`, { on: event.target.checked, name: webxdc.selfName })]) }),
          make('span', { className: 'what', dir: 'auto' }, what),
          tick?.on && make('small', { dir: 'auto' }, words(tick.name, 30)),
        ),
        make('button', { className: 'quiet', type: 'button', 'data-role': 'remove', 'aria-label': `Remove ${what}`, title: 'Remove', onclick: () => remove(id) }, '×'),
      ),
    ),
  );
  const back = focusAt ?? (before && [before, role]);
  focusAt = null;
  if (back) at('items').querySelector(`li[data-id="${CSS.escape(back[0])}"] [data-role="${back[1]}"]`)?.focus();
}

function remove(id) {
  const all = items();
  const next = all[all.findIndex((item) => item.id === id) + 1] ?? all[all.length - 2];
  focusAt = next ? [next.id, 'remove'] : null;
  if (!next) at('what').focus();
  say([known.make(`gone:${id}`, true)]);
}

at('add').addEventListener('submit', (event) => {
  event.preventDefault();
  const what = at('what').value.trim();
  if (!what) return;
  at('what').value = '';
  const last = items().at(-1)?.at ?? 0;
  say([known.make(`item:${fresh()}`, { what, at: last + 1 })]);
});
at('title').addEventListener('change', () => say([known.make('title', at('title').value.trim())]));

webxdc.setUpdateListener(({ payload }) => {
  for (const setting of Array.isArray(payload?.set) ? payload.set.slice(0, 100) : []) known.take(setting ?? {});
  draw();
}, 0).then(draw);
