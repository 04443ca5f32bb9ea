// A question, and what people say to it. Each has one vote, which they may change; the latest counts.
import { Latest, fresh, make, once, words } from '../shared.js';

const known = new Latest();
const place = document.getElementById('poll');
const draw = once(drawn);
let isDrawn = '';

function poll() {
  const asked = known.get('asked');
  const options = (Array.isArray(asked?.options) ? asked.options : []).slice(0, 20);
  return {
    question: words(asked?.question, 200),
    isMany: asked?.isMany === true,
    options: options.filter((option) => typeof option?.id === 'string').map(({ id, text }) => ({ id, text: words(text, 120) })),
  };
}

function votes() {
  const all = [...known.under('vote:')].filter(({ key, by }) => key === by);
  return all.map(({ key, value }) => ({ who: key, name: words(value?.name, 40), ids: Array.isArray(value?.ids) ? value.ids : [] })).filter(({ ids }) => ids.length);
}

function say(setting, info) {
  known.take(setting);
  const count = votes().length;
  webxdc.sendUpdate({ payload: setting, document: poll().question, summary: count === 1 ? '1 vote' : `${count} votes`, ...(info && { info }) }, '');
  draw();
}

function drawn() {
  const { question, isMany, options } = poll();
  if (!question) return setup();
  isDrawn = 'poll';
  const all = votes();
  const mine = all.find(({ who }) => who === webxdc.selfAddr)?.ids ?? [];
  const focused = document.activeElement?.value;
  const most = Math.max(1, ...options.map(({ id }) => all.filter(({ ids }) => ids.includes(id)).length));
  place.replaceChildren(
    make(
      'fieldset',
      {},
      make('legend', { dir: 'auto' }, question),
      make('p', { className: 'muted' }, isMany ? 'Choose as many as you like; you may change your mind.' : 'Choose one; you may change your mind.'),
      make(
        'div',
        { className: 'options' },
        ...options.map(({ id, text }) => {
          const who = all.filter(({ ids }) => ids.includes(id));
          return make(
            'label',
            { className: 'option' },
            make('input', { type: isMany ? 'checkbox' : 'radio', name: 'choice', value: id, checked: mine.includes(id), onchange: vote }),
            make('span', { dir: 'auto' }, text),
            make('span', { className: 'count' }, String(who.length), make('span', { className: 'unseen' }, who.length === 1 ? ' vote' : ' votes')),
            make('span', { className: 'bar', 'aria-hidden': 'true' }, make('span', { style: `width: ${(100 * who.length) / most}%` })),
            who.length > 0 && make('small', { className: 'who muted', dir: 'auto' }, who.map(({ name }) => name || 'somebody').join(', ')),
          );
        }),
      ),
    ),
    make('p', { className: 'muted', role: 'status' }, all.length === 1 ? '1 vote so far' : `${all.length} votes so far`),
  );
  if (focused) place.querySelector(`input[value="${CSS.escape(focused)}"]`)?.focus();
}

function vote() {
  const ids = [...place.querySelectorAll('input:checked')].map(({ value }) => value);
  const isFirst = !known.get(`vote:${webxdc.selfAddr}`);
  say(known.make(`vote:${webxdc.selfAddr}`, { ids, name: webxdc.selfName }), isFirst && `${webxdc.selfName} voted`);
}

/** Nothing is asked yet: whoever opens it first asks. */
function setup() {
  if (isDrawn === 'setup') return;
  isDrawn = 'setup';
  const field = (label, more = {}) => make('input', { type: 'text', maxLength: 120, dir: 'auto', 'aria-label': label, placeholder: label, ...more });
  const question = field('What do you want to ask?', { maxLength: 200, required: true });
  const options = make('div', { className: 'options' }, field('First answer'), field('Second answer'));
  const isMany = make('input', { type: 'checkbox' });
  place.replaceChildren(
    make('h1', {}, 'A new poll'),
    make(
      'form',
      {
        className: 'setup',
        onsubmit: (event) => {
          event.preventDefault();
          const texts = [...options.children].map(({ value }) => value.trim()).filter(Boolean);
          if (!question.value.trim() || texts.length < 2) return (question.value.trim() ? options.children[texts.length] ?? options.firstChild : question).focus();
          const asked = { question: question.value.trim(), isMany: isMany.checked, options: texts.map((text) => ({ id: fresh(), text })) };
          say(known.make('asked', asked), `${webxdc.selfName} asks: ${asked.question}`.slice(0, 50));
        },
      },
      question,
      options,
      make('button', { type: 'button', onclick: () => options.children.length < 20 && options.append(field('Another answer')) && options.lastChild.focus() }, 'One more answer'),
      make('label', { className: 'check' }, isMany, 'Several may be chosen'),
      make('button', { className: 'main' }, 'Ask'),
    ),
  );
}

webxdc.setUpdateListener(({ payload }) => {
  known.take(payload ?? {});
  draw();
}, 0).then(draw);
