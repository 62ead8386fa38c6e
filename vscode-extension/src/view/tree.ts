// The decision tree, drawn from left to right as nested lists: boxes joined by lines, which fold, and which a keyboard and a
// screen reader walk as the tree they are. A subtree that several branches share is drawn once; the others point to it.

import type { Tree, TreeNode } from '../protocol';
import { html, type Html } from './html';
import { link } from './links';

type Id = TreeNode['id'];

/** Below this depth branches are folded at first. */
const OPEN_DEPTH = 6;

export interface DrawnTree {
  markup: Html;
  nodes: number;
}

export function drawTree(tree: Tree): DrawnTree {
  const nodes = new Map<Id, TreeNode>(tree.nodes.map((node) => [node.id, node]));
  const children = new Map<Id, { to: Id; label: string }[]>();
  const parents = new Map<Id, number>();
  for (const { from, to, label } of tree.edges) {
    children.set(from, [...(children.get(from) ?? []), { to, label }]);
    parents.set(to, (parents.get(to) ?? 0) + 1);
  }
  const drawn = new Set<Id>();

  /** A node and those after it that are always reached from it, and only from it: one item, its steps above each other. */
  function run(first: TreeNode): TreeNode[] {
    const steps = [first];
    for (let at = first; ; ) {
      const [only, other] = children.get(at.id) ?? [];
      const next = only === undefined || other !== undefined || parents.get(only.to) !== 1 ? undefined : nodes.get(only.to);
      if (next === undefined) return steps;
      steps.push(next);
      at = next;
    }
  }

  function item(id: Id, edge: string, depth: number): Html {
    const first = nodes.get(id);
    if (first === undefined) return html``;
    const label = edge !== '' && html`<span class="edge">${edge}</span>`;
    const leaf = (children.get(id) ?? []).length === 0;
    const again = drawn.has(id);
    if (again && !leaf) {
      return html`<li role="treeitem" aria-level="${depth}" tabindex="-1"><div class="node">${label}<span class="box again" title="${first.label}"><a href="#" data-jump="node-${id}">as shown: ${first.label}</a></span></div></li>`;
    }
    const steps = run(first);
    for (const step of steps) drawn.add(step.id);
    const boxes = html`<div class="steps">${steps.map((step) => html`<span class="box ${step.kind}" title="${step.label}">${link(step, step.label)}</span>`)}</div>`;
    const below = children.get(steps.at(-1)?.id ?? id) ?? [];
    const name = !again && html` id="node-${id}"`; // a leaf is repeated, its name is not
    if (below.length === 0) {
      return html`<li role="treeitem" aria-level="${depth}" tabindex="-1"${name}><div class="node">${label}${boxes}</div></li>`;
    }
    const open = depth <= OPEN_DEPTH;
    return html`<li role="treeitem" aria-level="${depth}" aria-expanded="${String(open)}" tabindex="-1"${name}><div class="node">${label}${boxes}<span class="fold" aria-hidden="true"></span></div><ul role="group">${below.map((edge) => item(edge.to, edge.label, depth + 1))}</ul></li>`;
  }

  const roots = tree.nodes.filter((node) => !parents.has(node.id)).map((node) => item(node.id, '', 1));
  return { markup: html`<ul role="tree" class="tree" id="tree" aria-label="Decision tree">${roots}</ul>`, nodes: drawn.size };
}
