// A text that everybody writes in. It is a CRDT of Yjs: what people wrote apart comes together the same way everywhere, in
// whatever order it comes.
import * as Y from 'yjs';

const doc = new Y.Doc();
const [text, title] = [doc.getText('text'), doc.getText('title')];
const at = (id) => document.getElementById(id);
const [area, name] = [at('text'), at('title')];
const REMOTE = Symbol('others');

/** What was written here and not sent yet. */
let waiting = [];
let timer = 0;

doc.on('update', (update, origin) => {
  if (origin === REMOTE) return;
  waiting.push(update);
  timer ||= setTimeout(send, Math.max(1000, webxdc.sendUpdateInterval));
  say();
});

const encoded = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
const decoded = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

function send() {
  clearTimeout(timer);
  timer = 0;
  if (!waiting.length) return;
  const update = Y.mergeUpdates(waiting);
  waiting = [];
  const count = text.toString().trim().split(/\s+/u).filter(Boolean).length;
  const document = title.toString().trim();
  const all = encoded(update);
  // What is longer than one update may be goes in several, each of which waits for the others at its reader.
  const most = Math.max(1000, webxdc.sendUpdateMaxSize - 2000);
  const id = all.length > most ? Math.random().toString(36).slice(2) : undefined;
  const parts = Math.ceil(all.length / most);
  for (let n = 0; n < parts; n++) {
    const payload = { yjs: all.slice(n * most, (n + 1) * most), ...(id && { id, n, parts }) };
    webxdc.sendUpdate({ payload, summary: count === 1 ? '1 word' : `${count} words`, ...(document && { document }) }, '');
  }
  say();
}

/** Puts what stands in a field into the text, as one change between what both have in common. */
function take(field, shared) {
  const [before, after] = [shared.toString(), field.value];
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let [a, b] = [before.length, after.length];
  while (a > start && b > start && before[a - 1] === after[b - 1]) [a, b] = [a - 1, b - 1];
  doc.transact(() => {
    if (a > start) shared.delete(start, a - start);
    if (b > start) shared.insert(start, after.slice(start, b));
  });
}

/** Shows what others wrote, with the cursor where it was in the text. */
function show(field, shared, marks) {
  const value = shared.toString();
  if (field.value === value) return;
  const scroll = field.scrollTop;
  field.value = value;
  const places = marks.map((mark) => Y.createAbsolutePositionFromRelativePosition(mark, doc)?.index ?? 0);
  if (document.activeElement === field) field.setSelectionRange(places[0], places[1]);
  field.scrollTop = scroll;
}

function say() {
  at('how').textContent = waiting.length ? 'Not sent yet …' : 'All that you wrote is on its way.';
}

const parts = new Map();

/** The bytes of an update, once all of its parts are here. */
function whole({ yjs, id, n, parts: many }) {
  if (typeof yjs !== 'string') return null;
  if (id === undefined) return yjs;
  if (!Number.isInteger(n) || !Number.isInteger(many) || many < 1 || many > 1000) return null;
  const had = parts.get(id) ?? parts.set(id, new Map()).get(id);
  had.set(n, yjs);
  if (had.size < many) return null;
  parts.delete(id);
  return Array.from({ length: many }, (_, n) => had.get(n) ?? '').join('');
}

webxdc.setUpdateListener(({ payload }) => {
  const yjs = whole(payload ?? {});
  if (!yjs) return;
  const fields = [
    [area, text],
    [name, title],
  ];
  const marks = fields.map(([field, shared]) => [field.selectionStart ?? 0, field.selectionEnd ?? 0].map((at) => Y.createRelativePositionFromTypeIndex(shared, Math.min(at, shared.length))));
  try {
    Y.applyUpdate(doc, decoded(yjs), REMOTE);
  } catch (error) {
    // Somebody's broken update keeps nobody from the others.
    console.warn(error);
  }
  fields.forEach(([field, shared], n) => show(field, shared, marks[n]));
}, 0).then(() => {
  say();
  area.disabled = name.disabled = false;
});
area.addEventListener('input', () => take(area, text));
name.addEventListener('input', () => take(name, title));
addEventListener('visibilitychange', () => document.visibilityState === 'hidden' && send());
addEventListener('pagehide', send);
at('copy').addEventListener('click', () => {
  const file = { name: `${title.toString().trim() || 'text'}.txt`, plainText: text.toString() };
  webxdc.sendToChat({ file }).catch(() => {});
});
