// The page: one stream in, one way out, one list. The log on the server is the
// conversation; this shows it.
import { t, lang, setLang, translate } from './texts.js';
import * as outbox from './outbox.js';
import { day, el, entry, hidden } from './render.js';

const settings = JSON.parse(document.body.dataset.settings);
const $ = (id) => document.getElementById(id);
const log = $('log'), scroll = $('scroll'), text = $('text');

const known = new Map(); // entries by number
const answered = new Set(); // ids that have an answer
const mine = new Set(); // ids of messages in the log
let last = 0; // the newest number
let gliding = 0; // until when the list is on its way to its end by itself
let stream = null, silence = 0, retry = 0, retries = 0, state = 'connecting', sending = false, ready = false;

// ---- what is said -------------------------------------------------------

// add shows an entry at its place. Repeated ones are the same entry.
function add(e) {
  if (known.has(e.seq) || e.from === 'user' && mine.has(e.id) || e.to && answered.has(e.to)) {
    last = Math.max(last, e.seq);
    return;
  }
  const near = atEnd();
  known.set(e.seq, e);
  if (e.from === 'user') {
    mine.add(e.id);
    log.querySelector(`[data-wait="${CSS.escape(e.id)}"]`)?.remove();
    outbox.drop(e.id);
  } else if (e.to) answered.add(e.to);
  place(e);
  last = Math.max(last, e.seq);
  if (near || e.from === 'user') toEnd(ready);
  else $('down').hidden = false;
  $('hello').hidden = true;
}

// place puts an entry before what waits and before anything newer.
function place(e) {
  const node = entry(e, acts);
  const later = [...log.children].find((c) => c.dataset.wait || Number(c.dataset.seq) > e.seq);
  const before = later ? later.previousElementSibling : log.lastElementChild;
  if (e.at && dayOf(e.at) !== before?.dataset?.day) {
    const line = day(e.at);
    line.dataset.day = dayOf(e.at);
    line.dataset.seq = e.seq;
    log.insertBefore(line, later ?? null);
  }
  node.dataset.day = e.at ? dayOf(e.at) : '';
  log.insertBefore(node, later ?? null);
  quieten(node.previousElementSibling, node);
  quieten(node, node.nextElementSibling);
  spend(e, node);
}

// spend takes buttons away that are good for nothing more, because one of them was pressed
// or what it sends was typed: a withdrawal that is confirmed asks for nothing.
function spend(e, node) {
  if (!e.reply?.spent || !e.to) return;
  const said = [...known.values()].find((k) => k.from === 'user' && k.id === e.to)?.text;
  for (let n = node.previousElementSibling; said && n; n = n.previousElementSibling) {
    const used = [...n.querySelectorAll('button[data-action]')].find((b) => said === b.dataset.action || said === b.textContent);
    if (!used) continue;
    used.parentElement.remove();
    return;
  }
}

// quieten hides the time of an entry that is followed by one of the same minute.
function quieten(a, b) {
  const same = a?.matches('.entry') && b?.matches('.entry') && a.querySelector('time').textContent === b.querySelector('time').textContent;
  if (a?.matches('.entry')) a.classList.toggle('minute', Boolean(same));
}

function dayOf(at) { return new Date(at).toDateString(); }

// redraw shows everything again, in the language that was chosen.
function redraw() {
  const end = atEnd();
  log.replaceChildren();
  for (const e of [...known.values()].sort((a, b) => a.seq - b.seq)) place(e);
  for (const m of outbox.all()) waiting(m);
  if (end) toEnd(false);
}

// atEnd reports whether the newest entry is in sight, or will be in a moment.
function atEnd() { return Date.now() < gliding || scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 120; }

function toEnd(smooth) {
  const calm = !smooth || document.hidden || matchMedia('(prefers-reduced-motion: reduce)').matches; // a hidden page does not glide
  gliding = calm ? 0 : Date.now() + 1000;
  scroll.scrollTo({ top: scroll.scrollHeight, behavior: calm ? 'auto' : 'smooth' });
  $('down').hidden = true;
}

function say(words) { $('say').textContent = ''; setTimeout(() => { $('say').textContent = words; }, 60); }

// ---- sending ------------------------------------------------------------

const acts = {
  send(action, label, button) {
    for (const b of button.parentElement.querySelectorAll('button')) b.disabled = true;
    setTimeout(() => { for (const b of button.parentElement.querySelectorAll('button')) b.disabled = false; }, 1500);
    post(action, label);
  },
  async copy(words, button, label, name) {
    if (await copied(words)) {
      label.textContent = t('copied');
      say(t('copiedSay'));
      setTimeout(() => { label.textContent = name; }, 2200);
      return;
    }
    const field = el('textarea', { class: 'byhand', readonly: true, rows: '2', 'aria-label': name });
    field.value = words;
    button.parentElement.after(el('p', { class: 'byhand-hint' }, t('copyByHand')), field);
    button.disabled = true;
    field.focus();
    field.select();
    say(t('copyByHand'));
  },
};

// copied tries the modern way and then the old one, which also works where the
// page is not on a secure address.
async function copied(words) {
  try {
    await navigator.clipboard.writeText(words);
    return true;
  } catch { /* not allowed here */ }
  const field = el('textarea', { class: 'vh', readonly: true, 'aria-hidden': 'true', tabindex: '-1' });
  const focus = document.activeElement;
  field.value = words;
  document.body.append(field);
  field.select();
  let ok = false;
  try { ok = document.execCommand('copy'); } catch { /* not allowed either */ }
  field.remove();
  focus?.focus?.();
  return ok;
}

function post(words, label) {
  if (outbox.full()) return notice(t('full'));
  const m = { id: outbox.newID(), text: words, label: label && label !== words ? label : '', at: Date.now() };
  outbox.keep(m);
  waiting(m);
  $('hello').hidden = true;
  toEnd(true);
  flush();
  return undefined;
}

// waiting shows a message that the server does not have yet.
function waiting(m) {
  if (mine.has(m.id) || log.querySelector(`[data-wait="${CSS.escape(m.id)}"]`)) return;
  const node = entry({ from: 'user', id: m.id, text: m.label || m.text, at: m.at }, acts);
  node.classList.add('waiting');
  node.dataset.wait = m.id;
  node.append(el('p', { class: 'fate' }));
  log.append(node);
  fate(m);
}

// fate says below a message how far it has come.
function fate(m) {
  const line = log.querySelector(`[data-wait="${CSS.escape(m.id)}"] .fate`);
  if (!line) return;
  line.classList.toggle('failed', Boolean(m.problem));
  if (!m.problem) {
    line.textContent = t(state === 'online' ? 'sending' : 'waiting');
    return;
  }
  line.replaceChildren(el('span', {}, `${t('failed')}：${m.problem[lang()] ?? ''}`),
    el('button', { class: 'quiet', type: 'button', on: { click: () => { m.problem = null; fate(m); flush(); } } }, t('again')),
    el('button', { class: 'quiet', type: 'button', on: { click: () => { outbox.drop(m.id); line.closest('.entry').remove(); } } }, t('drop')));
}

// flush sends what waits, in order, one at a time.
async function flush() {
  if (sending) return;
  sending = true;
  try {
    // Asked anew each time: while one is under way, another may have been written.
    for (let m; (m = outbox.all().find((x) => !x.problem)) && await deliver(m););
  } finally { sending = false; }
}

// deliver sends one message. It returns false if the rest has to wait.
async function deliver(m) {
  fate(m);
  let res;
  try {
    res = await fetch('api/messages', {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, credentials: 'same-origin',
      body: JSON.stringify(m.label ? { id: m.id, text: m.text, label: m.label, lang: lang() } : { id: m.id, text: m.text, lang: lang() }),
      signal: AbortSignal.timeout(15000),
    });
  } catch {
    later(4000);
    return false;
  }
  if (res.ok) {
    outbox.drop(m.id);
    return true;
  }
  const problem = (await res.json().catch(() => null))?.error;
  if (res.status === 401) return renew();
  if (res.status === 429 || res.status >= 500) {
    if (problem) notice(problem[lang()]);
    later(1000 * (Number(res.headers.get('Retry-After')) || 4));
    return false;
  }
  m.problem = problem ?? {};
  outbox.keep(m);
  fate(m);
  if (problem) say(problem[lang()]);
  return true;
}

let again = 0;
function later(ms) { clearTimeout(again); again = setTimeout(flush, ms); }

// renew gets a new session by loading the page again, once.
function renew() {
  try {
    const now = Date.now();
    if (now - Number(sessionStorage.getItem('fanli.renewed') ?? 0) > 60000) {
      sessionStorage.setItem('fanli.renewed', String(now));
      location.reload();
    }
  } catch { /* the friendly line is all */ }
  return false;
}

// ---- the stream ---------------------------------------------------------

function connect(after) {
  disconnect();
  if (state !== 'online') setState('connecting');
  const from = after ?? (last || undefined);
  stream = new EventSource(from === undefined ? 'api/events' : `api/events?after=${from}`);
  const on = (name, f) => stream.addEventListener(name, (ev) => { alive(); f(JSON.parse(ev.data)); });
  on('entry', add);
  on('typing', (yes) => { const end = atEnd(); $('typing').hidden = !yes; if (end) toEnd(true); });
  on('ping', () => {});
  on('reset', () => { known.clear(); answered.clear(); mine.clear(); last = 0; redraw(); });
  on('moved', () => { disconnect(); setState('elsewhere'); });
  on('ready', (r) => {
    retries = 0;
    setState('online');
    $('earlier').hidden = !r.earlier || after === 0;
    for (const m of outbox.all()) waiting(m);
    $('hello').hidden = log.children.length > 0;
    if (!ready) { toEnd(false); log.setAttribute('aria-live', 'polite'); }
    ready = true;
    flush();
  });
  stream.addEventListener('error', lost);
  alive();
}

function disconnect() {
  clearTimeout(silence);
  clearTimeout(retry);
  stream?.close();
  stream = null;
}

// alive puts off the moment at which a silent stream is taken for dead.
function alive() {
  clearTimeout(silence);
  silence = setTimeout(lost, settings.beat * 2 + 10000);
}

async function lost() {
  disconnect();
  $('typing').hidden = true;
  setState('offline');
  const wait = Math.min(30000, 1000 * 2 ** Math.min(retries++, 5)) * (0.7 + Math.random() * 0.6);
  retry = setTimeout(() => connect(), wait);
  if (retries !== 3) return;
  try { // the stream cannot say why it was refused
    const res = await fetch('api/events?after=x', { credentials: 'same-origin' });
    if (res.status === 401) renew();
  } catch { /* still offline */ }
}

function setState(s) {
  state = s;
  $('state').dataset.state = s;
  $('state-text').dataset.t = s;
  $('state-text').textContent = t(s);
  const words = { offline: t('offlineBanner'), elsewhere: t('elsewhereBanner') }[s];
  $('banner').hidden = !words;
  $('banner').textContent = words ?? '';
  for (const m of outbox.all()) fate(m);
}

let quiet = 0;
function notice(words) {
  clearTimeout(quiet);
  $('banner').textContent = words;
  $('banner').hidden = false;
  quiet = setTimeout(() => setState(state), 5000);
}

function back() {
  if (document.visibilityState === 'visible' && (state === 'elsewhere' || state === 'offline')) connect();
}

// ---- the page -----------------------------------------------------------

function grow() {
  text.style.height = 'auto';
  text.style.height = `${Math.min(text.scrollHeight, 160)}px`;
  $('send').disabled = text.value.trim() === '';
}

function submit() {
  const words = text.value.trim();
  if (!words) return;
  if ([...words].length > settings.textMax) { notice(t('long')); return; }
  text.value = '';
  grow();
  post(words);
}

function speak(l) {
  setLang(l);
  document.documentElement.lang = l === 'zh' ? 'zh-CN' : 'en';
  translate(document);
  const b = $('language');
  b.textContent = l === 'zh' ? 'EN' : '中文';
  b.lang = l === 'zh' ? 'en' : 'zh-CN';
  b.setAttribute('aria-label', l === 'zh' ? 'Switch to English' : '切换到中文');
  document.title = `${settings.title} · ${l === 'zh' ? '查券返利' : 'coupons and rebates'}`;
  $('chips').replaceChildren(...(settings.examples ?? []).map((x) => el('button', { class: 'chip', type: 'button', on: { click: () => post(x.text) } }, x[l])));
  $('try').hidden = !settings.examples?.length;
  setState(state);
  redraw();
  grow();
}

$('composer').addEventListener('submit', (ev) => { ev.preventDefault(); submit(); });
text.addEventListener('input', () => {
  if (text.value === '\n') text.value = ''; // some keyboards still type the line feed after Enter was taken
  grow();
});
// What is pasted keeps the addresses behind its words: the field shows words only.
text.addEventListener('paste', (ev) => {
  const shown = ev.clipboardData?.getData('text/plain') ?? '';
  const behind = hidden(ev.clipboardData?.getData('text/html') ?? '', shown);
  if (behind.length === 0) return;
  ev.preventDefault();
  text.setRangeText([shown, ...behind].join('\n'), text.selectionStart, text.selectionEnd, 'end');
  text.dispatchEvent(new Event('input'));
});

text.addEventListener('keydown', (ev) => {
  if (ev.key !== 'Enter' || ev.shiftKey || ev.isComposing || ev.keyCode === 229) return;
  ev.preventDefault();
  submit();
});
$('language').addEventListener('click', () => speak(lang() === 'zh' ? 'en' : 'zh'));
$('down').addEventListener('click', () => { toEnd(true); text.focus(); });
$('earlier').addEventListener('click', () => { $('earlier').hidden = true; known.clear(); answered.clear(); mine.clear(); log.replaceChildren(); connect(0); });
for (const by of ['wheel', 'touchmove', 'keydown', 'pointerdown']) scroll.addEventListener(by, () => { gliding = 0; }, { passive: true }); // whoever scrolls away stays there
scroll.addEventListener('scroll', () => { if (atEnd()) $('down').hidden = true; }, { passive: true });
document.addEventListener('visibilitychange', back);
addEventListener('focus', back);
addEventListener('online', () => { if (state !== 'online') connect(); });
addEventListener('offline', lost);
addEventListener('pagehide', disconnect);
addEventListener('pageshow', (ev) => { if (ev.persisted) connect(); });

speak(lang());
connect();
if (matchMedia('(hover: hover) and (pointer: fine)').matches) text.focus();
