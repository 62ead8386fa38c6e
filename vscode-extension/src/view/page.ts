// Runs in the webview: shows the markup it is sent, keeps scroll, focus and what is unfolded across updates, walks the decision
// tree by keyboard, and tells the extension what was clicked.

import type { FromPage, ToPage } from '../page';

declare function acquireVsCodeApi(): { postMessage(message: FromPage): void; setState(state: unknown): void };

const vscode = acquireVsCodeApi();
const ZOOM_STEP = 1.2;
let zoom = 1;

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`no element ${id}`);
  return found;
}

// ---- updates

function replaceBody(markup: string): void {
  const main = element('main');
  const open = new Set([...main.querySelectorAll('details[open]')].map((e) => e.id));
  const folds = new Map([...main.querySelectorAll('[aria-expanded]')].map((e) => [e.id, e.getAttribute('aria-expanded') ?? '']));
  const focused = document.activeElement?.id;
  const filter = (document.getElementById('filter') as HTMLInputElement | null)?.value ?? '';
  const canvas = main.querySelector('.canvas');
  const left = canvas?.scrollLeft ?? 0;

  main.innerHTML = markup;

  for (const details of main.querySelectorAll('details')) if (open.has(details.id)) details.open = true;
  for (const item of main.querySelectorAll('[aria-expanded]')) {
    const fold = folds.get(item.id);
    if (fold !== undefined) item.setAttribute('aria-expanded', fold);
  }
  const search = document.getElementById('filter') as HTMLInputElement | null;
  if (search !== null && filter !== '') {
    search.value = filter;
    applyFilter(filter);
  }
  main.querySelector<HTMLElement>('[role=treeitem]')?.setAttribute('tabindex', '0');
  applyZoom();
  main.querySelector('.canvas')?.scrollTo({ left });
  if (focused !== undefined && focused !== '') document.getElementById(focused)?.focus({ preventScroll: true });
}

window.addEventListener('message', (event: MessageEvent<ToPage>) => {
  const message = event.data;
  if (message.kind === 'body') {
    vscode.setState({ uri: message.uri });
    replaceBody(message.markup);
  } else if (message.id === 'announce') {
    element('announce').textContent = message.markup;
  } else {
    element(message.id).innerHTML = message.markup;
  }
});

// ---- clicks

document.addEventListener('click', (event) => {
  const target = event.target as HTMLElement;
  const { uri, range } = target.closest<HTMLElement>('a[data-uri]')?.dataset ?? {};
  if (uri !== undefined && range !== undefined) {
    event.preventDefault();
    vscode.postMessage({ kind: 'open', uri, range: range.split(' ').map(Number) as [number, number, number, number] });
    return;
  }
  const jump = target.closest<HTMLElement>('a[data-jump]')?.dataset.jump;
  if (jump !== undefined) {
    event.preventDefault();
    jumpTo(jump);
    return;
  }
  const button = target.closest('button')?.dataset;
  if (button?.copy !== undefined) vscode.postMessage({ kind: 'copy', form: button.copy, device: Number(button.device) });
  else if (button?.command !== undefined) vscode.postMessage({ kind: 'command', name: button.command });
  else if (button?.tree !== undefined) treeButton(button.tree);
  else if (target.classList.contains('fold')) toggle(target.closest<HTMLElement>('[role=treeitem]'));
});

document.addEventListener('change', (event) => {
  const target = event.target as HTMLInputElement;
  if (target.name === 'path') vscode.postMessage({ kind: 'choose', path: Number(target.value) });
});

document.addEventListener('input', (event) => {
  const target = event.target as HTMLInputElement;
  if (target.id === 'filter') applyFilter(target.value);
});

function applyFilter(text: string): void {
  const words = text.toLowerCase().split(/\s+/).filter((word) => word !== '');
  for (const item of document.querySelectorAll<HTMLElement>('.path')) {
    item.hidden = !words.every((word) => (item.dataset.search ?? '').includes(word));
  }
}

function jumpTo(id: string): void {
  const target = document.getElementById(id);
  if (target === null) return;
  if (target instanceof HTMLDetailsElement) target.open = true;
  for (let above = target.parentElement?.closest('[aria-expanded]'); above; above = above.parentElement?.closest('[aria-expanded]')) {
    above.setAttribute('aria-expanded', 'true');
  }
  target.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  if (target.getAttribute('role') === 'treeitem') focusItem(target);
  else (target.querySelector('summary') ?? target).focus();
}

// ---- the decision tree, as the ARIA tree pattern says

function visibleItems(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>('[role=treeitem]')].filter((item) => item.parentElement?.closest('[aria-expanded=false]') == null);
}

function focusItem(item: HTMLElement | null | undefined): void {
  if (item == null) return;
  document.querySelectorAll('[role=treeitem][tabindex="0"]').forEach((e) => e.setAttribute('tabindex', '-1'));
  item.setAttribute('tabindex', '0');
  item.focus();
}

function toggle(item: HTMLElement | null): void {
  const fold = item?.getAttribute('aria-expanded');
  if (fold != null) item?.setAttribute('aria-expanded', String(fold !== 'true'));
}

document.addEventListener('keydown', (event) => {
  const item = event.target as HTMLElement;
  if (item.getAttribute('role') !== 'treeitem') return;
  const items = visibleItems();
  const at = items.indexOf(item);
  const fold = item.getAttribute('aria-expanded');
  switch (event.key) {
    case 'ArrowDown':
      focusItem(items[at + 1]);
      break;
    case 'ArrowUp':
      focusItem(items[at - 1]);
      break;
    case 'ArrowRight':
      if (fold === 'false') toggle(item);
      else focusItem(item.querySelector<HTMLElement>('[role=treeitem]'));
      break;
    case 'ArrowLeft':
      if (fold === 'true') toggle(item);
      else focusItem(item.parentElement?.closest<HTMLElement>('[role=treeitem]'));
      break;
    case 'Home':
      focusItem(items[0]);
      break;
    case 'End':
      focusItem(items.at(-1));
      break;
    case ' ':
      toggle(item);
      break;
    case 'Enter':
      item.querySelector<HTMLElement>(':scope > .node a')?.click();
      break;
    default:
      return;
  }
  event.preventDefault();
});

function treeButton(what: string): void {
  if (what === 'in') zoom *= ZOOM_STEP;
  else if (what === 'out') zoom /= ZOOM_STEP;
  else if (what === 'reset') zoom = 1;
  else for (const item of document.querySelectorAll('[role=treeitem][aria-expanded]')) item.setAttribute('aria-expanded', String(what === 'open'));
  applyZoom();
}

function applyZoom(): void {
  const tree = document.getElementById('tree');
  if (tree !== null) tree.style.fontSize = `${zoom}em`; // set by script: the policy forbids it only in markup
}

vscode.postMessage({ kind: 'ready' });
