// A page of another origin, in the same browser, with a session open beside it.
import { createServer } from 'node:http';
import { equal, holds } from '../lib.mjs';

export default async function (world) {
  const { alice } = world.people;
  const page = await alice.page();
  const origin = new URL(page.url()).origin;
  const asked = [];
  const server = createServer((request, response) => {
    asked.push(request.headers.cookie ?? '');
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><title>elsewhere</title><body></body>');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    // On loopback too, under a name of the same kind: the nearest that a stranger's page can come.
    for (const host of ['127.0.0.1', 'localhost', 'evil.localhost']) {
      const elsewhere = await page.context().newPage();
      world.watch(elsewhere, false);
      await elsewhere.goto(`http://${host}:${server.address().port}/`);
      const came = await elsewhere.evaluate(async (origin) => {
        const ask = async (path, init) => {
          try {
            const answer = await fetch(origin + path, { credentials: 'include', ...init });
            return `${answer.type} ${answer.status} ${await answer.text()}`;
          } catch {
            return 'nothing';
          }
        };
        const send = JSON.stringify({ to: 'alice', text: 'from elsewhere' });
        const picture = (path) =>
          new Promise((resolve) => {
            const image = new Image();
            image.onload = () => resolve('a picture');
            image.onerror = () => resolve('nothing');
            image.src = origin + path;
          });
        const framed = () =>
          new Promise((resolve) => {
            const frame = document.createElement('iframe');
            frame.onload = () => {
              try {
                resolve(frame.contentDocument ? 'nothing' : 'nothing to be read');
              } catch {
                resolve('nothing to be read');
              }
            };
            frame.src = origin + '/';
            document.body.append(frame);
          });
        return [
          await ask('/v1/me', {}),
          await ask('/v1/me', { mode: 'no-cors' }),
          await ask('/v1/contacts', { headers: { 'dak-page': 'guess' } }),
          await ask('/v1/send', { method: 'POST', body: send, mode: 'no-cors', headers: { 'content-type': 'text/plain' } }),
          await ask('/v1/send', { method: 'POST', body: send, headers: { 'content-type': 'application/json' } }),
          await ask('/web/session', { method: 'POST', body: '{"open":"guess"}', mode: 'no-cors' }),
          await picture('/icon.svg'),
          await framed(),
        ];
      }, origin);
      for (const one of came) holds(/^nothing|^opaque 0 $/.test(one), `from ${host}: ${came}`);
      // A form, which asks nobody.
      await elsewhere.evaluate((origin) => {
        const form = document.createElement('form');
        form.method = 'post';
        form.enctype = 'text/plain';
        form.action = `${origin}/v1/send`;
        const field = document.createElement('input');
        field.name = '{"to":"alice","text":"by a form","subject":"';
        field.value = '"}';
        form.append(field);
        document.body.append(form);
        form.submit();
      }, origin);
      await elsewhere.waitForLoadState();
      await elsewhere.close();
    }
  } finally {
    server.close();
  }
  holds(asked.every((cookie) => !cookie.includes('dak=')), 'no cookie of the page goes anywhere else');
  equal((await alice.rows('status')).length, 0, 'nothing was sent');
  // What is shown of this node is shown in no frame but its own.
  const policy = await page.evaluate(async () => (await fetch('/')).headers.get('content-security-policy'));
  holds(/frame-ancestors 'none'/.test(policy ?? ''), `no frame: ${policy}`);
}
