// The pages work without this; it adds buttons that copy.
const say = document.getElementById('say');

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch { /* not allowed here: the old way */ }
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'vh';
  document.body.append(field);
  field.select();
  let ok = false;
  try { ok = document.execCommand('copy'); } catch { /* not allowed either */ }
  field.remove();
  return ok;
}

for (const button of document.querySelectorAll('[data-copy]')) {
  const before = [...button.childNodes];
  button.addEventListener('click', async () => {
    if (await copied(button.dataset.copy)) {
      button.replaceChildren('已复制，去贴给机器人');
      say.textContent = '已复制 Copied';
      setTimeout(() => { button.replaceChildren(...before); say.textContent = ''; }, 2200);
      return;
    }
    const more = button.closest('.goods, .about')?.querySelector('details');
    if (more) more.open = true;
    say.textContent = '浏览器不让自动复制，请在下面选中后复制 Copying is not allowed: select the text below';
    const field = button.closest('.share')?.querySelector('textarea') ?? more?.querySelector('textarea');
    field?.focus();
    field?.select();
  });
}

for (const field of document.querySelectorAll('.share textarea')) {
  field.addEventListener('focus', () => field.select());
}
