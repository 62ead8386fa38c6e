// Links to source text. The view's script sends the place to the extension, which opens it.

import type { Place } from '../protocol';
import { html, type Html } from './html';

/** `fw_main.c:19` */
export function placeName(place: Place): string {
  const file = decodeURIComponent(place.uri.split('/').at(-1) ?? place.uri);
  return `${file}:${place.range.start.line + 1}`;
}

export function link(place: Partial<Place>, text: string | Html): Html {
  if (place.uri === undefined || place.range === undefined) return html`<span>${text}</span>`;
  const { start, end } = place.range;
  const range = [start.line, start.character, end.line, end.character].join(' ');
  return html`<a href="#" data-uri="${place.uri}" data-range="${range}" title="${placeName({ uri: place.uri, range: place.range })}">${text}</a>`;
}
