// Turns entries into elements. Every text goes in as text: there is no way for a
// message to become markup. Addresses are opened only if they are http or https.
import { t, lang } from './texts.js';

const icons = document.body.dataset.icons;

// el makes an element; children are nodes or texts.
export function el(name, props = {}, ...children) {
  const e = document.createElement(name);
  for (const [k, v] of Object.entries(props)) {
    if (v === undefined || v === null || v === false) continue;
    if (k === 'class') e.className = v;
    else if (k === 'on') for (const [type, f] of Object.entries(v)) e.addEventListener(type, f);
    else if (k === 'data') Object.assign(e.dataset, v);
    else e.setAttribute(k, v === true ? '' : v);
  }
  e.append(...children.filter((c) => c !== null && c !== undefined && c !== ''));
  return e;
}

export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `${icons}#${name}`);
  svg.append(use);
  return svg;
}

// safe returns an address that may be opened, or nothing.
export function safe(address) {
  try {
    const u = new URL(address, document.baseURI);
    return u.protocol === 'https:' || u.protocol === 'http:' ? u.href : '';
  } catch { return ''; }
}

// How many addresses behind words are taken, and of how much of a page.
const hiddenMax = 16, pageMax = 200_000;

// hidden returns the addresses behind words of a page that the words do not show. The
// page is only searched: it never becomes one here.
export function hidden(page, shown) {
  const found = new Set();
  for (const [, , href] of page.slice(0, pageMax).matchAll(/<a\s[^>]*?href\s*=\s*(["'])(.*?)\1/gis)) {
    const address = href.replaceAll('&amp;', '&').trim();
    if (/^https?:/i.test(address) && safe(address) && !shown.includes(address)) found.add(address);
    if (found.size === hiddenMax) break;
  }
  return [...found];
}

// entry renders one entry of the log.
export function entry(e, acts) {
  const mine = e.from === 'user';
  const body = mine ? userBody(e) : botBody(e, acts);
  const item = el('article', { class: `entry ${mine ? 'mine' : 'theirs'}`, data: { seq: e.seq ?? '', id: e.id ?? '' } },
    el('span', { class: 'vh who', data: { t: mine ? 'you' : 'bot' } }, t(mine ? 'you' : 'bot')),
    ...body, clock(e.at));
  return item;
}

function userBody(e) { return [el('div', { class: 'bubble' }, ...paragraphs(e.text, false))]; }

function botBody(e, acts) {
  const r = e.reply ?? {};
  const out = [];
  if (r.text) out.push(el('div', { class: 'bubble' }, ...paragraphs(r.text, true)));
  for (const c of r.cards ?? []) out.push(card(c, acts));
  if (r.buttons?.length) out.push(buttons(r.buttons, acts, false));
  return out;
}

function clock(at) {
  const d = new Date(at ?? Date.now());
  const text = d.toLocaleTimeString(lang() === 'zh' ? 'zh-CN' : 'en-GB', { hour: '2-digit', minute: '2-digit' });
  return el('time', { datetime: d.toISOString() }, text);
}

// day renders the line between two days.
export function day(at) {
  const d = new Date(at), now = new Date();
  const days = Math.round((new Date(now.getFullYear(), now.getMonth(), now.getDate()) - new Date(d.getFullYear(), d.getMonth(), d.getDate())) / 864e5);
  const text = days === 0 ? t('today') : days === 1 ? t('yesterday')
    : d.toLocaleDateString(lang() === 'zh' ? 'zh-CN' : 'en-GB', { year: d.getFullYear() === now.getFullYear() ? undefined : 'numeric', month: 'long', day: 'numeric' });
  return el('p', { class: 'day' }, el('span', {}, text));
}

// paragraphs renders a text; an empty line makes room. In what the bot says,
// addresses can be clicked, and lines that begin with spaces stay set in where
// they break.
function paragraphs(text, bot) {
  return String(text).split(/\n{2,}/).map((p) => el('p', {}, ...(bot ? p.split('\n').flatMap(line) : [p])));
}

function line(text, i, all) {
  if (/^ {2,}/.test(text)) return [el('span', { class: 'inset' }, ...linked(text.trim()))];
  const next = all[i + 1];
  return [...linked(text), ...(next !== undefined && !/^ {2,}/.test(next) ? ['\n'] : [])];
}

const address = /https?:\/\/[^\s<>"'，。；！？、「」【】（）]+/g;

// linked makes the addresses in a text clickable.
function linked(text) {
  const out = [];
  let at = 0;
  for (const m of text.matchAll(address)) {
    const href = safe(m[0]);
    if (!href) continue;
    out.push(text.slice(at, m.index), el('a', { href, target: '_blank', rel: 'noopener noreferrer' }, m[0]));
    at = m.index + m[0].length;
  }
  out.push(text.slice(at));
  return out;
}

function card(c, acts) {
  const head = el('div', { class: 'head' }, picture(c), el('h3', {}, c.title));
  const rows = (c.rows ?? []).map((r) => el('div', { class: r.strong ? 'row strong' : 'row' }, el('dt', {}, r.label), el('dd', {}, r.value)));
  return el('section', { class: 'card', 'aria-label': c.title },
    head,
    rows.length ? el('dl', { class: 'rows' }, ...rows) : null,
    c.notes?.length ? el('ul', { class: 'notes' }, ...c.notes.map((n) => el('li', {}, n))) : null,
    c.buttons?.length ? buttons(c.buttons, acts, true) : null);
}

function picture(c) {
  const src = c.image && safe(c.image);
  if (!src) return null;
  const frame = el('div', { class: 'picture' });
  const img = el('img', { src, alt: c.title, loading: 'lazy', decoding: 'async', referrerpolicy: 'no-referrer', width: '88', height: '88' });
  img.addEventListener('error', () => {
    frame.classList.add('gone');
    frame.replaceChildren(icon('picture'), el('span', { class: 'vh', data: { t: 'noPicture' } }, t('noPicture')));
  }, { once: true });
  frame.append(img);
  return frame;
}

function buttons(list, acts, inCard) {
  const main = list.findIndex((b) => b.url && safe(b.url));
  return el('div', { class: inCard ? 'buttons' : 'buttons loose' }, ...list.map((b, i) => button(b, acts, inCard && i === main)).filter(Boolean));
}

function button(b, acts, main) {
  const kind = main ? 'button main' : 'button';
  if (b.url) {
    const href = safe(b.url);
    if (!href) return null;
    return el('a', { class: kind, href, target: '_blank', rel: 'noopener noreferrer' },
      el('span', {}, b.label), icon('out'), el('span', { class: 'vh' }, `（${t('opens')}）`));
  }
  if (b.copy) {
    const label = el('span', {}, b.label);
    const e = el('button', { class: kind, type: 'button', on: { click: () => acts.copy(b.copy, e, label, b.label) } }, icon('copy'), label);
    return e;
  }
  if (b.action) {
    return el('button', { class: kind, type: 'button', data: { action: b.action }, on: { click: (ev) => acts.send(b.action, b.label, ev.currentTarget) } }, el('span', {}, b.label));
  }
  return null;
}
