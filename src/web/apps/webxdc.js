// `window.webxdc` as webxdc.org has it, for an app in the frame of dak's page. The page answers on a channel of its own; the
// app alone cannot reach anything.
(() => {
  'use strict';
  const own = /*own*/{};
  const { port1: port, port2 } = new MessageChannel();
  const waiting = new Map();
  let number = 0;
  let listener = null;
  let listening = 0;

  const ask = (what, more = {}) =>
    new Promise((resolve, reject) => {
      waiting.set(++number, { resolve, reject });
      port.postMessage({ what, number, ...more });
    });

  port.onmessage = ({ data }) => {
    if (data.what === 'updates' && data.listening === listening) {
      for (const update of data.updates) {
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
    if (data.what === 'done') resolve?.(data.value);
    if (data.what === 'failed') reject?.(new Error(data.why));
  };
  // A browser that keeps documents off the network ends one that tries this all the same: whoever only looks for it goes on.
  for (const name of ['RTCPeerConnection', 'webkitRTCPeerConnection']) Object.defineProperty(window, name, { value: undefined });

  // Apps put frames into frames; the page is always at the top.
  top.postMessage('dak app', own.page, [port2]);

  /** As JSON has it, or as nothing. */
  const plain = (value) => {
    const text = JSON.stringify(value);
    return text === undefined ? null : JSON.parse(text);
  };
  const line = (value) => (typeof value === 'string' && value ? value : undefined);
  const told = (notify) => {
    if (Array.isArray(notify)) return Object.fromEntries(notify.filter(line).map((who) => [who, '']));
    return Object.fromEntries(Object.entries(notify ?? {}).map(([who, text]) => [who, String(text)]));
  };
  const bytesOf = async ({ blob, base64, plainText }) => {
    if (blob instanceof Blob) return blob.arrayBuffer();
    if (typeof base64 === 'string') return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)).buffer;
    if (typeof plainText === 'string') return new TextEncoder().encode(plainText).buffer;
    throw new Error('a file has a blob, base64 or plainText');
  };

  const webxdc = {
    selfAddr: own.selfAddr,
    selfName: own.selfName,
    isAppSender: own.isAppSender,
    isBroadcast: false,
    sendUpdateInterval: own.sendUpdateInterval,
    sendUpdateMaxSize: own.sendUpdateMaxSize,

    sendUpdate(update, _description) {
      if (typeof update !== 'object' || update === null || update.payload === undefined) {
        throw new TypeError('an update has a payload');
      }
      const { payload, info, document, summary, href, notify } = update;
      const said = { payload: plain(payload), info: line(info), document: line(document), summary: line(summary), href: line(href), notify: told(notify) };
      if (new TextEncoder().encode(JSON.stringify(said)).length > own.sendUpdateMaxSize) throw new RangeError('an update is too long');
      ask('update', { update: said }).catch((error) => console.warn('an update was not sent:', error.message));
    },

    setUpdateListener(callback, serial = 0) {
      listener = callback;
      return ask('listen', { listening: ++listening, serial: Math.max(0, Math.floor(Number(serial))) || 0 });
    },

    getAllUpdates: () => ask('all'),

    async sendToChat({ file, text } = {}) {
      if (!file && !line(text)) throw new TypeError('there is nothing to send: give a file or a text');
      if (!file) return ask('send', { text });
      if (!line(file.name)) throw new TypeError('a file has a name');
      return ask('send', { text: line(text), name: file.name, bytes: await bytesOf(file) });
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
  Object.defineProperty(window, 'webxdc', { value: Object.freeze(webxdc), enumerable: true });

  // A link to write somebody mail is the page's to follow, and the person's to allow.
  addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a[href^="mailto:"]') : null;
    if (!link) return;
    event.preventDefault();
    void ask('mailto', { href: link.href }).catch(() => {});
  });
})();
