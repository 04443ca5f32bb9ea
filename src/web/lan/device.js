'use strict';
// What stands behind # in the address is never sent; it goes from the code on the node's screen to the request that uses it.
const secret = location.hash.slice(1);

if (document.body.dataset.step === 'start') {
  document.getElementById('next').hash = secret;
  const apple = /iPhone|iPad|Macintosh/.test(navigator.userAgent);
  document.getElementById(apple ? 'ios' : 'android').open = true;
  // A certificate counts for some time only, and by the clock of this device.
  fetch('/device.css').then((answer) => {
    const days = Math.round((Date.now() - Date.parse(answer.headers.get('date'))) / 86_400_000);
    const clock = document.getElementById('clock');
    if (days) clock.textContent = `The clock of this device is ${Math.abs(days)} days ${days > 0 ? 'ahead of' : 'behind'} the node's. Set it first: until then the page cannot be trusted, and the browser says that the connection is not private.`;
  }).catch(() => {});
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
