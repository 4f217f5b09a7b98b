// Two charts of the newest runs, drawn by hand, with a table of the same numbers for who cannot or need not see them.
import { count, moment, number } from './format.js';
import { h, svg } from './dom.js';

/** @import { Point } from './overview-data.js' */

const WIDTH = 600;
const HEIGHT = 120;

/**
 * A drawing that fills its place, whatever the shape of that; its words are the caption's.
 * @param {string} label
 * @param {Element[]} shapes
 * @param {string} most the top of the scale
 * @param {readonly Point[]} points
 */
function chart(label, shapes, most, points) {
  const [first, last] = [points[0], points.at(-1)];
  return h('figure', { class: 'chart' },
    h('figcaption', {}, label, h('span', { class: 'chart-most' }, `at most ${most}`)),
    svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' }, ...shapes),
    first && last && h('div', { class: 'chart-ends', 'aria-hidden': 'true' },
      h('span', {}, moment(first.at)), points.length > 1 && h('span', {}, moment(last.at))));
}

/** Users after each run, by time. @param {readonly Point[]} points whose users are known */
function usersChart(points) {
  const times = points.map(({ at }) => Date.parse(at));
  const [from, to] = [Math.min(...times), Math.max(...times)];
  const most = Math.max(1, ...points.map(({ users }) => users ?? 0));
  const x = (/** @type {number} */ time) => (to === from ? WIDTH : ((time - from) / (to - from)) * WIDTH);
  const y = (/** @type {number} */ users) => HEIGHT - (users / most) * (HEIGHT - 4);
  // Between two runs the number stays as it is: steps, and no slopes.
  const steps = points.map(({ users }, i) => {
    return i === 0 ? `M0 ${y(users ?? 0)}` : `H${x(times[i] ?? from)}V${y(users ?? 0)}`;
  });
  const line = `${steps.join('')}H${WIDTH}`;
  return chart('Users after each run', [
    svg('path', { class: 'area', d: `${line}V${HEIGHT}H0Z` }), svg('path', { class: 'line', d: line }),
  ], number(most), points);
}

/** Additions upwards and removals downwards, a run a column. @param {readonly Point[]} points */
function changesChart(points) {
  const most = Math.max(1, ...points.flatMap(({ added, removed }) => [added, removed]));
  const width = WIDTH / Math.max(points.length, 12);
  const middle = HEIGHT / 2;
  // A change of one stays visible beside one of thousands.
  const length = (/** @type {number} */ n) => (n === 0 ? 0 : Math.max(2, (n / most) * (middle - 2)));
  const bars = points.flatMap(({ added, removed }, i) => [
    svg('rect', {
      class: 'added', x: i * width + 2, width: width - 4, y: middle - length(added), height: length(added),
    }),
    svg('rect', { class: 'removed', x: i * width + 2, width: width - 4, y: middle, height: length(removed) }),
  ]);
  const axis = svg('path', { class: 'axis', d: `M0 ${middle}H${WIDTH}` });
  return chart('Added (up) and removed (down) by each run', [axis, ...bars], number(most), points);
}

/** @param {readonly Point[]} points the oldest first */
export function charts(points) {
  const known = points.every(({ users }) => users !== null);
  const head = ['Run', 'Added', 'Removed', ...(known ? ['Users after it'] : [])];
  const rows = [...points].reverse().map(({ id, at, added, removed, users }) => h('tr', {},
    h('th', { scope: 'row' }, h('a', { href: `#/syncs/${id}` }, moment(at))), h('td', {}, number(added)),
    h('td', {}, number(removed)), users !== null && known && h('td', {}, number(users))));
  return [
    h('div', { class: 'charts' }, known && usersChart(points), changesChart(points)),
    known && h('p', { class: 'help' }, 'Reckoned back from the users of today by what the runs wrote: '
      + 'what people added or removed by hand is not in it.'),
    h('details', { class: 'notes' }, h('summary', {}, `The same as a table of ${count(points.length, 'run')}`),
      h('div', { class: 'chart-numbers', tabindex: '0', role: 'region', 'aria-label': 'Numbers of the runs' },
        h('table', {}, h('thead', {}, h('tr', {}, head.map((name) => h('th', { scope: 'col' }, name)))),
          h('tbody', {}, rows)))),
  ];
}
