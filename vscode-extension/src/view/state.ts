// What a panel says of an answer that is not about the text in the editor.

import type { State } from '../protocol';
import { html, type Html } from './html';

const WAITING: Record<Exclude<State, 'fresh' | 'stale'>, [string, string]> = {
  pending: ['Analysing …', 'The first analysis of this network function is under way.'],
  failed: ['Not analysed', 'The analysis of this network function failed. The output channel Maestro says why.'],
  none: ['No network function', 'This file belongs to no network function: no file of its folder defines nf_process.'],
};

/** The page while there is nothing to show. */
export function waiting(state: State): Html {
  const [title, text] = WAITING[state === 'fresh' || state === 'stale' ? 'pending' : state];
  return html`<header><h1>${title}</h1><p role="status">${text}</p></header>`;
}

/** A sentence beside content that may be of an earlier text; empty if it is of this one. */
export function stateText(state: State): string {
  if (state === 'fresh') return '';
  return state === 'failed' ? 'Of an earlier text; the analysis of this one failed.' : 'Of an earlier text; the analysis of this one is under way.';
}
