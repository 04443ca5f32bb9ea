'use strict';
// What stands behind # in the address is never sent; it goes from the code on the node's screen to the request that uses it.
const secret = location.hash.slice(1);

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
      said.textContent = 'The node does not answer. Is this device still in its network?';
    }
  });
}

/** Says whether the two clocks differ, and by how much; which of them is wrong nobody here knows. */
function compare(here, there) {
  const [hour, day] = [3_600_000, 86_400_000];
  const [off, ahead] = [Math.abs(here - there), here > there];
  if (!(off >= hour)) return;
  const said = (at) => new Date(at).toLocaleString('en-GB', { dateStyle: 'long', timeStyle: 'short' });
  const [many, unit] = off >= 730 * day ? [off / (365.25 * day), 'years'] : off >= 2 * day ? [off / day, 'days'] : [off / hour, 'hours'];
  const { behind, ahead: before } = document.body.dataset;
  const clock = document.getElementById('clock');
  clock.textContent = `The clock of this device is ${Math.round(many)} ${Math.round(many) === 1 ? unit.slice(0, -1) : unit} ${ahead ? 'ahead of' : 'behind'} the node's. `
    + `Here it is ${said(here)}; at the node it is ${said(there)}. Set the one that is wrong first: `
    + (off > (ahead ? before : behind) * day
      ? 'until then the browser says that the connection is not private, or that a certificate is not valid, and this device cannot become your phone.'
      : 'until then the page shows wrong times.');
  clock.hidden = false;
}
