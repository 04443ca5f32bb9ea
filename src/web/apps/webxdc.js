// `window.webxdc` as webxdc.org has it, for an app in the frame of dak's page. The page answers on a channel of its own; the
// app alone cannot reach anything. What the app says goes to the page as JSON that the page does not look into, and what
// others said comes the same way: a value is at its reader what it was at its writer, letter by letter.
(() => {
  'use strict';
  const own = /*own*/{};
  const known = Symbol.for('dak');

  /** As Unicode has it: half a letter is none, and would not go through. */
  const whole = (text) => text.replace(/\p{Cs}/gu, '\ufffd');
  const line = (value) => (typeof value === 'string' && value ? whole(value) : undefined);
  const bytesLong = (text) => new TextEncoder().encode(text).length;

  function begin() {
    const { port1: port, port2 } = new MessageChannel();
    const waiting = new Map();
    let number = 0;
    let listener = null;
    let listening = 0;
    let channel = null;

    const ask = (what, more = {}, give = []) =>
      new Promise((resolve, reject) => {
        waiting.set(++number, { resolve, reject });
        port.postMessage({ what, number, ...more }, give);
      });

    /** An update as the specification has it; none where its payload cannot be read. */
    const heard = ({ payload, ...more }) => {
      try {
        return [{ payload: JSON.parse(payload), ...more }];
      } catch {
        return [];
      }
    };

    port.onmessage = ({ data }) => {
      if (data.what === 'updates' && data.listening === listening) {
        for (const update of data.updates.flatMap(heard)) {
          try {
            listener?.(update);
          } catch (error) {
            console.error(error);
          }
        }
        return port.postMessage({ what: 'taken', listening });
      }
      const { resolve, reject } = waiting.get(data.number) ?? {};
      waiting.delete(data.number);
      if (data.what === 'done') resolve?.(Array.isArray(data.value) ? data.value.flatMap(heard) : data.value);
      if (data.what === 'failed') reject?.(new Error(data.why));
    };
    // Apps put frames into frames; the page is always at the top.
    top.postMessage('dak app', own.page, [port2]);

    // Of more than so many, and of longer ones, the update is worth more than that all of them are told.
    const told = (notify) => {
      if (typeof notify !== 'object' || notify === null) return {};
      const all = Array.isArray(notify) ? notify.map((who) => [who, '']) : Object.entries(notify);
      const some = all.filter(([who]) => line(who) && bytesLong(who) <= own.addressMax);
      some.sort(([a], [b]) => Number(b === '*') - Number(a === '*'));
      return Object.fromEntries(some.slice(0, own.notifiedMax).map(([who, text]) => [whole(who), whole(String(text))]));
    };
    const bytesOf = async (file) => {
      const { blob = file, base64, plainText } = file;
      if (typeof blob?.arrayBuffer === 'function') return blob.arrayBuffer();
      if (typeof base64 === 'string') return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)).buffer;
      if (typeof plainText === 'string') return new TextEncoder().encode(plainText).buffer;
      throw new TypeError('a file has a blob, base64 or plainText');
    };

    const webxdc = {
      selfAddr: own.selfAddr,
      selfName: own.selfName,
      isAppSender: own.isAppSender,
      isBroadcast: false,
      sendUpdateInterval: own.sendUpdateInterval,
      sendUpdateMaxSize: own.sendUpdateMaxSize,

      sendUpdate(update, _description) {
        const { payload, info, document, summary, href, notify } = update ?? {};
        const json = JSON.stringify(payload) ?? 'null';
        const said = { info: line(info), document: line(document), summary: line(summary), href: line(href), notify: told(notify) };
        if (bytesLong(json) > own.sendUpdateMaxSize) throw new RangeError(`an update has at most ${own.sendUpdateMaxSize} bytes`);
        if (bytesLong(said.href ?? '') > own.hrefMax) said.href = undefined;
        ask('update', { update: { ...said, payload: json } }).catch((error) => console.warn('an update was not sent:', error.message));
      },

      setUpdateListener(callback, serial = 0) {
        listener = callback;
        return ask('listen', { listening: ++listening, serial: Math.max(0, Math.floor(Number(serial))) || 0 });
      },

      getAllUpdates: () => ask('all'),

      // Most apps that use one never look whether there are any, and what is said on it may reach nobody.
      joinRealtimeChannel() {
        if (channel) throw new Error('the realtime channel was joined already');
        const joined = {};
        const within = (act) => (given) => {
          if (channel !== joined) throw new Error('the realtime channel was left');
          act(given);
        };
        joined.setListener = within(() => {});
        joined.send = within((data) => {
          if (!(data instanceof Uint8Array)) throw new TypeError('what is said on a realtime channel is a Uint8Array');
        });
        joined.leave = within(() => (channel = null));
        return (channel = joined);
      },

      async sendToChat({ file, text } = {}) {
        if (!file && !line(text)) throw new TypeError('there is nothing to send: give a file or a text');
        if (!file) return ask('send', { text: line(text) });
        if (!line(file.name)) throw new TypeError('a file has a name');
        const bytes = await bytesOf(file);
        return ask('send', { text: line(text), name: line(file.name), bytes }, [bytes]);
      },

      importFiles: ({ mimeTypes = [], extensions = [], multiple = false } = {}) =>
        new Promise((resolve) => {
          const input = document.createElement('input');
          Object.assign(input, { type: 'file', multiple, accept: [...extensions, ...mimeTypes].join(',') });
          input.addEventListener('change', () => resolve([...input.files]));
          input.addEventListener('cancel', () => resolve([]));
          input.click();
        }),
    };
    return { webxdc, ask };
  }

  /** What this document, or one around it in the same app, has already: updates go to one listener. */
  function before() {
    try {
      return window[known] ?? (parent === window || parent === top ? undefined : parent[known]);
    } catch {
      return undefined;
    }
  }

  const isFirst = !window[known];
  const { webxdc, ask } = before() ?? begin();
  Object.defineProperty(window, known, { value: { webxdc, ask } });
  // A plain property: apps declare variables of that name, and put things of their own into it.
  window.webxdc = webxdc;
  if (!isFirst) return;

  // What is to have the keys from the start, a browser gives them in windows of their own alone.
  addEventListener('DOMContentLoaded', () => {
    if (parent === top && document.activeElement === document.body) document.querySelector('[autofocus]')?.focus();
  });

  // A browser that keeps documents off the network ends one that tries this all the same: whoever only looks for it goes on.
  for (const name of ['RTCPeerConnection', 'webkitRTCPeerConnection']) Object.defineProperty(window, name, { value: undefined });

  const addressOf = (href) => {
    try {
      return new URL(href, document.baseURI);
    } catch {
      return null;
    }
  };
  const isElsewhere = ({ protocol, origin }) => origin !== location.origin && !['blob:', 'data:', 'about:', 'javascript:'].includes(protocol);
  const elsewhere = (url) => void ask('link', { href: url.href }).catch(() => {});
  const save = async (url, name) => {
    const bytes = await (await fetch(url)).arrayBuffer();
    await ask('save', { name: whole(name || decodeURIComponent(url.pathname.split('/').at(-1) ?? '')) || 'file', bytes }, [bytes]);
  };

  /** Takes over what a link would do that a frame may not: leave the app, open a window, save a file. Says whether it did. */
  const follow = (link) => {
    const url = addressOf(link.href?.baseVal ?? link.href);
    if (!url) return false;
    if (isElsewhere(url)) elsewhere(url);
    else if (link.hasAttribute('download')) save(url, link.getAttribute('download')).catch((error) => console.warn('a file was not saved:', error.message));
    else if (['_blank', '_top'].includes(link.target) && url.origin === location.origin) location.assign(url);
    else return false;
    return true;
  };
  addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    const link = event.composedPath().find((one) => one instanceof Element && one.matches('a[href], area[href]'));
    if (link && follow(link)) event.preventDefault();
  });
  // A link that stands nowhere is clicked by programs, to save a file.
  const { click, dispatchEvent } = HTMLElement.prototype;
  Object.assign(HTMLAnchorElement.prototype, {
    click() {
      if (this.isConnected || !follow(this)) click.call(this);
    },
    dispatchEvent(event) {
      return event.type === 'click' && !this.isConnected && follow(this) ? true : dispatchEvent.call(this, event);
    },
  });
  const open = window.open.bind(window);
  window.open = (href, ...more) => {
    const url = href ? addressOf(href) : null;
    if (!url || !isElsewhere(url)) return open(href, ...more);
    elsewhere(url);
    return null;
  };
  window.alert = (text) => void ask('say', { text: whole(String(text ?? '')) }).catch(() => {});
})();
