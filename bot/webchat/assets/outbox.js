// Keeps what was written until the server has it: across a lost connection, a
// reload and a closed tab. Every message has its own key, so that tabs do not
// overwrite each other; sending one twice is harmless, because its id is known.
const prefix = 'fanli.unsent.';
const waitingMax = 30; // messages that may wait at once

const memory = new Map(); // what this page knows; storage may be off

export function newID() {
  const b = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...b)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

export function all() {
  try {
    for (let i = 0; i < localStorage.length; i++) {
      const key = localStorage.key(i);
      if (!key.startsWith(prefix) || memory.has(key.slice(prefix.length))) continue;
      const m = JSON.parse(localStorage.getItem(key));
      if (m && typeof m.id === 'string' && typeof m.text === 'string') memory.set(m.id, m);
    }
  } catch { /* storage is off or holds something odd */ }
  return [...memory.values()].sort((a, b) => a.at - b.at);
}

export function full() { return memory.size >= waitingMax; }

export function keep(m) {
  memory.set(m.id, m);
  try { localStorage.setItem(prefix + m.id, JSON.stringify(m)); } catch { /* kept while the page lives */ }
}

export function drop(id) {
  memory.delete(id);
  try { localStorage.removeItem(prefix + id); } catch { /* nothing to remove */ }
}
