'use strict';
// What stands behind # in the address is never sent; it goes from the code on the node's screen to the request that uses it.
const secret = location.hash.slice(1);
const language = document.documentElement.lang;
// As this reader writes times and numbers, where that is the page's language.
const locale = navigator.languages.find((one) => one.toLowerCase().split('-')[0] === language) ?? (language === 'en' ? 'en-GB' : language);
const words = JSON.parse(document.body.dataset.words);

if (document.body.dataset.step === 'start') {
  document.getElementById('next').hash = secret;
  const apple = /iPhone|iPad|Macintosh/.test(navigator.userAgent);
  document.getElementById(apple ? 'ios' : 'android').open = true;
  // Who comes from the page itself has no secret, and is somebody's phone mostly.
  if (!secret) for (const id of ['why', 'pairing', 'paired']) document.getElementById(id).hidden = id !== 'paired';
  // A certificate counts for some time only, and by the clock of this device.
  fetch('/device.css', { cache: 'no-store' }).then((answer) => compare(Date.now(), Date.parse(answer.headers.get('date')))).catch(() => {});
} else {
  const said = document.getElementById('said');
  history.replaceState(null, '', location.pathname);
  document.getElementById('form').addEventListener('submit', async (event) => {
    event.preventDefault();
    said.textContent = '';
    const code = document.getElementById('code').value.replace(/\D/g, '');
    try {
      const answer = await fetch('/web/pair', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ pair: secret, code }),
      });
      const row = await answer.json();
      if (answer.ok) location.replace(`/#open=${row.open}`);
      else said.textContent = `${row.error.message}; ${row.error.next_step ?? ''}`;
    } catch {
      said.textContent = t('phone.say_silent');
    }
  });
}

/** Says whether the two clocks differ, and by how much; which of them is wrong nobody here knows. */
function compare(here, there) {
  const [hour, day] = [3_600_000, 86_400_000];
  const [off, ahead] = [Math.abs(here - there), here > there];
  if (!(off >= hour)) return;
  const said = (at) => new Date(at).toLocaleString(locale, { dateStyle: 'long', timeStyle: 'short' });
  const [many, unit] = off >= 730 * day ? [off / (365.25 * day), 'years'] : off >= 2 * day ? [off / day, 'days'] : [off / hour, 'hours'];
  const { behind, ahead: before } = document.body.dataset;
  const clock = document.getElementById('clock');
  const span = t(`times.${unit}`, { count: Math.round(many) });
  const first = t(ahead ? 'phone.say_ahead' : 'phone.say_behind', { span, here: said(here), there: said(there) });
  clock.textContent = `${first} ${t(off > (ahead ? before : behind) * day ? 'phone.say_untrusted' : 'phone.say_times')}`;
  clock.hidden = false;
}

/** A text with its places filled in; `count` chooses among the forms of a number. */
function t(key, values = {}) {
  const known = words[key];
  const text = typeof known === 'string' ? known : new Intl.PluralRules(language).select(values.count) === 'one' ? known.one : known.other;
  return text.replace(/\{(\w+)\}/g, (place, name) => (typeof values[name] === 'number' ? values[name].toLocaleString(locale) : values[name] ?? place));
}
