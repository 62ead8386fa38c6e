// How packets spread over queues, as a bar chart: SVG drawn here, in the theme's colours, with a text that says the same.

import { count, html, type Html } from './html';

const WIDTH = 560;
const HEIGHT = 120;
const AXIS = 18; // height below the bars, for the queue numbers
const TOP = 14;

export interface Spread {
  /** Packets in each queue. */
  queues: number[];
  cores: number;
}

/** The fullest queue's packets over the mean: 1 is even. */
export function imbalance(queues: readonly number[]): number {
  const total = queues.reduce((a, b) => a + b, 0);
  return total === 0 ? 1 : (Math.max(...queues) * queues.length) / total;
}

export function spreadText(queues: readonly number[]): string {
  const total = queues.reduce((a, b) => a + b, 0);
  if (queues.length === 0 || total === 0) return 'no packets';
  const used = queues.filter((n) => n > 0).length;
  if (used < queues.length) return `only ${used} of ${count(queues.length, 'queue')} ${used === 1 ? 'gets' : 'get'} packets`;
  return `every one of ${count(queues.length, 'queue')} gets packets, the fullest ${imbalance(queues).toFixed(2)} times the mean`;
}

export function spreadChart(spread: Spread, device: number): Html {
  const { queues } = spread;
  const total = queues.reduce((a, b) => a + b, 0);
  if (queues.length === 0 || total === 0) return html``;
  const highest = Math.max(...queues);
  const plot = HEIGHT - AXIS - TOP;
  const step = WIDTH / queues.length;
  const gap = Math.min(4, step / 5);
  const label = Math.ceil(queues.length / 16);
  const bars = queues.map((packets, queue) => {
    const height = (packets / highest) * plot;
    const x = queue * step;
    return html`<g><title>queue ${queue}: ${count(packets, 'packet')}, ${((100 * packets) / total).toFixed(1)} %</title>
<rect class="bar" x="${(x + gap / 2).toFixed(1)}" y="${(TOP + plot - height).toFixed(1)}" width="${(step - gap).toFixed(1)}" height="${height.toFixed(1)}" />
${queue % label === 0 && html`<text class="tick" x="${(x + step / 2).toFixed(1)}" y="${HEIGHT - 4}">${queue}</text>`}</g>`;
  });
  const mean = TOP + plot - (total / queues.length / highest) * plot;
  return html`<figure class="spread"><figcaption>${count(total, 'packet')} of seeded uniform traffic: ${spreadText(queues)}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Packets in each queue of device ${device}: ${queues.join(', ')}">
${bars}<line class="mean" x1="0" x2="${WIDTH}" y1="${mean.toFixed(1)}" y2="${mean.toFixed(1)}" /><text class="tick mean-label" x="${WIDTH}" y="${(mean - 3).toFixed(1)}">mean</text>
<line class="axis" x1="0" x2="${WIDTH}" y1="${HEIGHT - AXIS}" y2="${HEIGHT - AXIS}" /></svg></figure>`;
}
