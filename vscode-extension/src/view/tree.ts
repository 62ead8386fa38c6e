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
  const hasParent = new Set<Id>();
  for (const { from, to, label } of tree.edges) {
    children.set(from, [...(children.get(from) ?? []), { to, label }]);
    hasParent.add(to);
  }
  const drawn = new Set<Id>();

  function box(node: TreeNode, edge: string): Html {
    return html`${edge !== '' && html`<span class="edge">${edge}</span>`}<span class="box ${node.kind}" title="${node.label}">${link(node, node.label)}</span>`;
  }

  function item(id: Id, edge: string, depth: number): Html {
    const node = nodes.get(id);
    if (node === undefined) return html``;
    const below = children.get(id) ?? [];
    const again = drawn.has(id);
    drawn.add(id);
    if (below.length === 0) {
      const own = !again && html` id="node-${id}"`; // a leaf is repeated, its name is not
      return html`<li role="treeitem" aria-level="${depth}" tabindex="-1"${own}><div class="node">${box(node, edge)}</div></li>`;
    }
    if (again) {
      const label = edge !== '' && html`<span class="edge">${edge}</span>`;
      return html`<li role="treeitem" aria-level="${depth}" tabindex="-1"><div class="node">${label}<span class="box again" title="${node.label}"><a href="#" data-jump="node-${id}">as shown: ${node.label}</a></span></div></li>`;
    }
    const open = depth <= OPEN_DEPTH;
    return html`<li role="treeitem" aria-level="${depth}" aria-expanded="${String(open)}" tabindex="-1" id="node-${id}"><div class="node">${box(node, edge)}<span class="fold" aria-hidden="true"></span></div><ul role="group">${below.map((edge) => item(edge.to, edge.label, depth + 1))}</ul></li>`;
  }

  const roots = tree.nodes.filter((node) => !hasParent.has(node.id)).map((node) => item(node.id, '', 1));
  return { markup: html`<ul role="tree" class="tree" id="tree" aria-label="Decision tree">${roots}</ul>`, nodes: drawn.size };
}
