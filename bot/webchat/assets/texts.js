// What the page itself says, in both languages. What the bot says comes from the
// bot.
export const texts = {
  zh: {
    skip: '跳到输入框', nav: '导航', log: '对话', input: '消息', send: '发送',
    shop: '沙盒商店', control: '控制台', earlier: '显示更早的消息', down: '新消息',
    placeholder: '粘贴商品链接或口令',
    hint: 'Enter 发送，Shift + Enter 换行',
    hello: '贴一个商品链接，\n看看能省多少',
    lead: '淘宝、京东、拼多多都可以。券和返利一次查清，价格一目了然。',
    step1: '粘贴', step1more: '商品链接、口令或标题',
    step2: '下单', step2more: '从我给的链接进去买',
    step3: '返利', step3more: '收货结算后到账，随时提现',
    try: '先试一试',
    sandbox: '这里是沙盒：商品、订单和钱都是假的，流程是真的。',
    sandboxgo: '去商店逛逛，复制一段分享文案',
    connecting: '正在连接', online: '在线', offline: '连接断开，正在重连', elsewhere: '已在另一个标签页打开',
    typing: '正在查询', today: '今天', yesterday: '昨天',
    you: '我', bot: '返利助手',
    copied: '已复制', copiedSay: '已复制到剪贴板', copyByHand: '浏览器不让自动复制，请长按或按 Ctrl+C 复制',
    opens: '在新窗口打开', open: '打开链接',
    waiting: '等待发送', sending: '发送中', failed: '没有发出去', again: '重发', drop: '删除',
    offlineBanner: '网络断开了。写好的消息会留着，连上后自动发出。',
    elsewhereBanner: '这个对话在更新的标签页里打开了，回到这里会自动接上。',
    full: '还有太多消息没有发出去，请等连上以后再发。',
    long: '消息太长了，请分成几段，或者只发商品链接。',
    noPicture: '图片没有加载出来',
  },
  en: {
    skip: 'Skip to message box', nav: 'Navigation', log: 'Conversation', input: 'Message', send: 'Send',
    shop: 'Sandbox shop', control: 'Control', earlier: 'Show earlier messages', down: 'New messages',
    placeholder: 'Paste a link or a share code',
    hint: 'Enter sends, Shift + Enter makes a new line',
    hello: 'Paste a product link,\nsee what you save',
    lead: 'Taobao, JD and Pinduoduo. Coupon and rebate in one answer, with the price you really pay.',
    step1: 'Paste', step1more: 'a link, a share code or a title',
    step2: 'Buy', step2more: 'through the link you get',
    step3: 'Earn', step3more: 'credited after delivery, paid out when you like',
    try: 'Try one',
    sandbox: 'This is a sandbox: goods, orders and money are invented, the process is real.',
    sandboxgo: 'Visit the shop and copy a share text',
    connecting: 'Connecting', online: 'Online', offline: 'Offline, reconnecting', elsewhere: 'Open in another tab',
    typing: 'Looking it up', today: 'Today', yesterday: 'Yesterday',
    you: 'You', bot: 'Rebate assistant',
    copied: 'Copied', copiedSay: 'Copied to the clipboard', copyByHand: 'The browser does not allow copying. Press and hold, or use Ctrl+C',
    opens: 'opens in a new window', open: 'Open link',
    waiting: 'Waiting to be sent', sending: 'Sending', failed: 'Not sent', again: 'Send again', drop: 'Remove',
    offlineBanner: 'You are offline. What you write is kept and sent when the connection is back.',
    elsewhereBanner: 'This conversation is open in a newer tab. It continues here when you come back.',
    full: 'Too many messages are waiting. Please wait until the connection is back.',
    long: 'The message is too long. Please split it, or send the product link only.',
    noPicture: 'The picture could not be loaded',
  },
};

let language = 'zh';
try {
  if (localStorage.getItem('fanli.language') === 'en') language = 'en';
} catch { /* storage is off: Chinese each time */ }

// t returns a text in the chosen language.
export function t(key) { return texts[language][key] ?? key; }

export function lang() { return language; }

// setLang chooses a language, for this and later visits.
export function setLang(l) {
  language = l;
  try { localStorage.setItem('fanli.language', l); } catch { /* for this visit only */ }
}

// translate writes the chosen language into everything that is marked.
export function translate(root) {
  for (const e of root.querySelectorAll('[data-t]')) e.textContent = t(e.dataset.t);
  for (const e of root.querySelectorAll('[data-t-label]')) e.setAttribute('aria-label', t(e.dataset.tLabel));
  for (const e of root.querySelectorAll('[data-t-placeholder]')) e.placeholder = t(e.dataset.tPlaceholder);
}
