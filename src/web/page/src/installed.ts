// Whether the page is here also where its node is not: where the browser takes its worker, which it does on a safe way alone,
// and in the local network only from a node whose authority it trusts.
import { signal } from '@preact/signals';
import { tell } from './tell';
import { canSeal } from './vault';
import { t } from './words';

/** `yes` where the page and what it keeps are here without the node; else why not. */
export const keeps = signal<'unknown' | 'yes' | 'insecure' | 'untrusted'>('unknown');
/** The browser offers to install the page; the offer, until it is taken. */
export const offer = signal<{ prompt: () => Promise<unknown> } | null>(null);

/** Whether this is the page for phones, which comes over TLS. */
export const isForPhones = location.protocol === 'https:';
/** Where a phone reads how to trust its node, also where it does not: over a plain connection, which compares the clocks as well. */
export const startPlace = `http://${location.host}/start`;

const WORKER = '/worker.js';

/** Has the browser take the worker, or finds out why it does not. */
export async function install(): Promise<void> {
  addEventListener('beforeinstallprompt', (event) => {
    event.preventDefault();
    offer.value = event as unknown as { prompt: () => Promise<unknown> };
  });
  addEventListener('appinstalled', () => (offer.value = null));
  if (!isSecureContext || !('serviceWorker' in navigator) || !canSeal) {
    keeps.value = 'insecure';
    return;
  }
  const workers = navigator.serviceWorker;
  const hadOne = workers.controller !== null;
  workers.addEventListener('controllerchange', () => {
    if (hadOne) tell(t('offline.newer'), { label: t('offline.load'), does: () => location.reload() });
  });
  try {
    const known = await workers.getRegistration('/');
    const taken = workers.register(address(WORKER), { scope: '/', updateViaCache: 'none' });
    if (known?.active) taken.catch(() => undefined);
    else await taken;
    await workers.ready;
    keeps.value = 'yes';
  } catch {
    // On this machine no certificate is asked for.
    keeps.value = isForPhones ? 'untrusted' : 'insecure';
  }
}

/** The one script that the page has run beside its own. */
function address(path: string): string {
  const policies = (globalThis as { trustedTypes?: { createPolicy(name: string, rules: object): { createScriptURL(path: string): string } } }).trustedTypes;
  return policies ? policies.createPolicy('dak-worker', { createScriptURL: (asked: string) => (asked === WORKER ? asked : '') }).createScriptURL(path) : path;
}
