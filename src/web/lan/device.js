'use strict';
// What stands behind # in the address is never sent; it goes from the code on the node's screen to the request that uses it.
const secret = location.hash.slice(1);

if (document.body.dataset.step === 'start') {
  document.getElementById('next').hash = secret;
  const apple = /iPhone|iPad|Macintosh/.test(navigator.userAgent);
  document.getElementById(apple ? 'ios' : 'android').open = true;
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
