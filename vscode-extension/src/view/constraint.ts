// Constraints in words: which packets must meet.

import type { Constraint, Equality } from '../protocol';
import { html, type Html } from './html';

interface Conjunction {
  /** Fields that are the same on both packets. */
  same: string[];
  /** A field of the one packet and another, or a constant, of the other. */
  crossed: Equality[];
}

function split(conjunction: readonly Equality[]): Conjunction {
  return {
    same: conjunction.filter(([a, b]) => a === b).map(([a]) => a),
    crossed: conjunction.filter(([a, b]) => a !== b),
  };
}

/** One line of text for each way in which two packets must meet. */
export function constraintLines(constraint: Constraint): string[] {
  if (constraint.length === 0) return ['none need meet'];
  return constraint.map((conjunction) => {
    if (conjunction.length === 0) return 'all must meet';
    const { same, crossed } = split(conjunction);
    const parts = crossed.map(([a, b]) => `${a} = ${b}`);
    return [...(same.length > 0 ? [`equal ${same.join(', ')}`] : []), ...parts].join(', ');
  });
}

function field(name: string | number): Html {
  return html`<code>${name}</code>`;
}

/** The same, with fields as code. */
export function constraintHtml(constraint: Constraint): Html {
  if (constraint.length === 0) return html`<span class="quiet">none need meet</span>`;
  const ways = constraint.map((conjunction) => {
    if (conjunction.length === 0) return html`<strong>all packets must meet</strong>`;
    const { same, crossed } = split(conjunction);
    const equal = same.length > 0 && html`<li>equal ${same.map((name, i) => html`${i > 0 && ', '}${field(name)}`)}</li>`;
    return html`<ul class="conjunction">${equal}${crossed.map(([a, b]) => html`<li>${field(a)} = ${field(b)}</li>`)}</ul>`;
  });
  return html`${ways.map((way, i) => html`${i > 0 && html`<div class="or">or</div>`}${way}`)}`;
}
