// Values and gradients of the nodes, where the page holds them.
const facts = element('values') ? stored('values') : null;
const COLOURINGS = { '': 'Kind', value: 'Value: mean', gradient: 'Gradient: norm',
  time: 'Time: operations', bytes: 'Bytes' };
const RISING = [[0, 34, 78], [61, 78, 107], [125, 124, 120], [188, 175, 111], [255, 234, 70]];
const DIVERGING = [[49, 104, 184], [247, 247, 247], [214, 106, 22]];
const DECADES = 8, BINS = 24;
let colouring = facts ? 'value' : '';
let threshold = '', component = 'norm';

/// [shape, not finite, least, largest, mean, norm, histogram, elements] as an object.
function tensor(list) {
  if (!list) return null;
  const [shape, bad, least, largest, mean, norm, histogram, elements] = list;
  return { shape, bad, least, largest, mean, norm, histogram, elements: elements.map(number) };
}
const number = (v) => (typeof v !== 'string' ? v
  : v === 'nan' ? NaN : v.startsWith('-') ? -Infinity : Infinity);
const factOf = (scene, node) => facts?.[scene.n.fact?.[node] ?? -1];
const valueOf = (scene, node) => tensor(factOf(scene, node)?.[0]);
const gradientOf = (scene, node) => tensor(factOf(scene, node)?.[1]);
const brief = (v) => (Number.isNaN(v) ? 'NaN' : !Number.isFinite(v) ? (v < 0 ? '-inf' : 'inf')
  : v === 0 ? '0' : Math.abs(v) >= 1e5 || Math.abs(v) < 1e-3 ? v.toExponential(2) : String(Number(v.toPrecision(4))));

/// Whether the value of a node is not finite; coloured by gradient, its gradient.
function isBad(scene, node, gradient = colouring === 'gradient') {
  return Boolean(factOf(scene, node)?.[gradient ? 1 : 0]?.[1]);
}
const isBadEdge = (scene, e) => facts !== null && isBad(scene, scene.e.from[e]) && isBad(scene, scene.e.to[e]);

// ---- colours -----------------------------------------------------------------------------------

function mixed(stops, x) {
  const place = clamped(x, 0, 1) * (stops.length - 1), i = Math.min(Math.floor(place), stops.length - 2);
  return stops[i].map((v, c) => Math.round(v + (stops[i + 1][c] - v) * (place - i)));
}
const css = (rgb) => 'rgb(' + rgb.join(',') + ')';
function inkOn(rgb) {
  const [r, g, b] = rgb.map((v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  const y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  return (y + 0.05) ** 2 > 1.05 * 0.05 ? '#111' : '#fff';
}

/// The number that a node is coloured by; null: none.
function amount(fact, by) {
  if (!fact) return null;
  if (by === 'value') return fact[0][4];
  if (by === 'gradient') return fact[1] ? fact[1][5] : null;
  return by === 'time' ? fact[2] : fact[3];
}

/// From numbers to places between the ends of the scale: logarithmic, but of values.
function scaleOf(amounts, linear) {
  const sizes = amounts.filter((v) => v).map(Math.abs);
  const largest = sizes.reduce((a, b) => Math.max(a, b), 0);
  const least = Math.max(sizes.reduce((a, b) => Math.min(a, b), largest), largest / 10 ** DECADES);
  return { low: linear ? -largest : least, high: largest, place: (v) => (linear
    ? (largest ? 0.5 + v / largest / 2 : 0.5)
    : largest > least ? Math.log(v / least) / Math.log(largest / least) : 1) };
}

function paintNodes() {
  const { scene } = state, by = colouring, linear = by === 'value';
  const seen = element('legend');
  seen.hidden = !by || !scene.n.fact;
  if (!facts || !scene.n.fact) return renderer.paint(null);
  const amounts = scene.n.fact.map((f) => (by ? amount(facts[f], by) : null));
  const scale = scaleOf(amounts, linear), stops = linear ? DIVERGING : RISING;
  renderer.paint(amounts.map((v, i) => {
    if (isBad(scene, i)) return ['#d00000', '#fff'];
    if (v === null) return null;
    if (v === 0 && !linear) return ['#e4e4e4', '#111'];
    const rgb = mixed(stops, scale.place(v));
    return [css(rgb), inkOn(rgb)];
  }));
  seen.replaceChildren(make('span', {}, brief(scale.low)),
    ...Array.from({ length: 9 }, (_, i) => swatch(css(mixed(stops, i / 8)))), make('span', {}, brief(scale.high)));
}

function swatch(colour) {
  const made = make('i', {});
  made.style.background = colour;
  return made;
}

function setColouring(by) {
  colouring = facts && by in COLOURINGS ? by : '';
  element('colour').value = colouring;
}
function nextColouring() {
  if (!facts) return;
  const all = Object.keys(COLOURINGS);
  setColouring(all[(all.indexOf(colouring) + 1) % all.length]);
  paintNodes();
  rememberSoon();
  say('Coloured by ' + COLOURINGS[colouring]);
}

// ---- of the selected node ----------------------------------------------------------------------

function histogramOf(t) {
  if (!t.elements.length) return t.histogram;
  const bins = new Array(BINS).fill(0);
  if (t.largest > t.least)
    for (const v of t.elements.filter(Number.isFinite))
      ++bins[Math.min(BINS - 1, Math.floor((v - t.least) * BINS / (t.largest - t.least)))];
  return bins;
}

function bars(heights, label) {
  const most = Math.max(...heights, 1e-300), width = 288 / heights.length;
  return draw('svg', { viewBox: '0 0 288 46', role: 'img', 'aria-label': label, class: 'bars' },
    ...heights.map((v, i) => draw('rect', { x: i * width, y: 45 - 44 * v / most, width: Math.max(width - 1, 0.5),
      height: Math.max(44 * v / most, v > 0 ? 1 : 0) })));
}

/// The elements as a heat map: blue below 0, orange above; red what is not finite.
function heatMap(t, label) {
  const columns = t.shape.length ? t.shape.at(-1) : 1, rows = t.elements.length / columns;
  const side = clamped(Math.floor(288 / Math.max(columns, 1)), 1, 26);
  const made = make('canvas', { width: columns, height: rows, role: 'img', 'aria-label': label, class: 'heat' });
  made.style.width = columns * side + 'px';
  made.style.height = rows * clamped(Math.floor(240 / rows), 1, side) + 'px';
  const context = made.getContext('2d'), most = Math.max(Math.abs(t.least), Math.abs(t.largest)) || 1;
  t.elements.forEach((v, i) => {
    context.fillStyle = Number.isFinite(v) ? css(mixed(DIVERGING, 0.5 + v / most / 2)) : '#d00000';
    context.fillRect(i % columns, Math.floor(i / columns), 1, 1);
  });
  return made;
}

function aboutTensor(title, t) {
  if (!t) return [];
  const about = [make('h3', {}, title)];
  if (!t.shape.length && t.elements.length) {
    about.push(make('p', { class: 'number' }, brief(t.elements[0])));
    return about;
  }
  about.push(make('p', { class: 'numbers' }, brief(t.least) + ' to ' + brief(t.largest) + ', mean ' + brief(t.mean) +
    ', norm ' + brief(t.norm)));
  if (t.bad) about.push(make('p', { class: 'alarm' }, count(t.bad, 'element') + ' not finite'));
  const bins = histogramOf(t);
  if (bins.some((n) => n)) about.push(bars(bins, 'Histogram of the ' + title.toLowerCase()));
  if (t.elements.length) {
    about.push(heatMap(t, title + ' as a heat map, shape [' + t.shape.join(',') + ']'));
    if (t.elements.length <= 12) about.push(make('p', { class: 'soft' }, t.elements.map(brief).join('  ')));
  }
  return about;
}

function aboutValues(scene, node) {
  const fact = factOf(scene, node);
  if (!fact) return [];
  const about = [...aboutTensor('Value', valueOf(scene, node)), ...aboutTensor('Gradient', gradientOf(scene, node))];
  if (!fact[1] && !scene.n.adjoint[node]) about.push(make('p', { class: 'soft' }, 'No gradient flows here.'));
  about.push(make('p', { class: 'soft' }, count(fact[2], 'operation') + ', ' + count(fact[3], 'byte')));
  return [...about, ...overSteps(scene, node)];
}

/// Which share of its end's gradient flows back through an edge.
function aboutEdge(scene, e) {
  const share = number(scene.e.share?.[e] ?? NaN);
  if (!facts || Number.isNaN(share)) return [];
  const from = scene.caption(scene.e.from[e]);
  return [make('span', { class: 'share', title: 'of the gradient of ' + from }, (100 * share).toFixed(1) + ' %')];
}

// ---- over the steps ----------------------------------------------------------------------------

/// A scene in which all steps are drawn.
function wholeScene(scene) {
  if (scene.whole || scene.step) return scene;
  return scenes.find((s) => s.name === scene.name + '_all')?.load() ?? scene;
}

/// [[step, node]] of a node's variable, in the order of the steps.
function alongSteps(scene, node) {
  const whole = wholeScene(scene), slot = whole.byId.get(scene.n.id[node]) ?? -1;
  if (slot < 0 || whole.n.cluster[slot] < 0 || whole.step) return [];
  return whole.steps.filter((s) => s.cluster >= 0).map((s) => [s, whole.inCluster(slot, s.cluster)])
    .filter(([, n]) => n >= 0 && factOf(whole, n));
}

function overSteps(scene, node) {
  const along = alongSteps(scene, node), whole = wholeScene(scene);
  if (along.length < 2) return [];
  const values = along.map(([, n]) => valueOf(whole, n)), size = values[0].elements.length;
  const name = variableOf(scene.n.role[node]);
  const pick = make('select', { 'aria-label': 'Which element', onchange: (event) => { component = event.target.value; tell(); } },
    ...['norm', 'any', ...Array.from({ length: Math.min(size, 64) }, (_, j) => String(j))].map((v) =>
      make('option', { value: v, selected: v === component }, v === 'norm' ? 'norm' : v === 'any' ? 'any element' : 'element ' + v)));
  const limit = make('input', { type: 'number', step: 'any', 'aria-label': 'Threshold', value: threshold,
    oninput: (event) => { threshold = event.target.value; tell(); } });
  const answer = make('p', { class: 'above', role: 'status' });
  const sizes = (t) => (component === 'norm' ? t.norm : component === 'any'
    ? Math.max(...t.elements.map(Math.abs)) : Math.abs(t.elements[Number(component)]));
  const tell = () => {
    if (threshold === '') return answer.replaceChildren('');
    const above = along.filter((_, i) => sizes(values[i]) > Number(threshold));
    answer.replaceChildren('In ' + above.length + ' of ' + along.length + ' steps' + (above.length ? ': ' : ''),
      ...runsOf(above.map(([s]) => along.findIndex(([t]) => t === s)), along));
  };
  tell();
  return [make('h3', {}, name + ' over the steps'), bars(values.map((t) => t.norm), 'Norm of ' + name + ' over the steps'),
    make('div', { class: 'set' }, make('span', {}, '|' + name + '|,'), pick, make('span', {}, 'above'), limit), answer];
}

// "t = 3 to 7", each a way to its first step
function runsOf(numbers, along) {
  const runs = [];
  for (const n of numbers) {
    if (runs.length && runs.at(-1)[1] === n - 1) runs.at(-1)[1] = n;
    else runs.push([n, n]);
  }
  return runs.slice(0, 40).flatMap(([a, b], i) => [i ? ', ' : '', make('button', { type: 'button',
    onclick: () => goToLabel(along[a][0].label) }, along[a][0].label +
    (b > a ? ' to ' + along[b][0].position.join(',') : ''))]);
}

const goToLabel = (label) => goToStep(state.scene.steps.findIndex((s) => s.label === label));

// ---- the flow of the gradient ------------------------------------------------------------------

const flowBox = element('flow');
let flowOf = null;

/// A row for each variable, a cell for each step: log10 of the norm of its gradient.
function showFlow() {
  const scene = wholeScene(state.scene);
  const shown = facts && scene.n.fact && !scene.step;
  if (flowOf === scene && shown) return markFlow();
  flowOf = scene;
  const rows = shown ? flowRows(scene) : [];
  flowBox.hidden = !rows.length;
  if (!rows.length) return;
  const scale = scaleOf(rows.flatMap((r) => r.cells.map((c) => (Number.isFinite(c.norm) ? c.norm : 0))), false);
  flowBox.replaceChildren(make('h2', {}, 'Norm of the gradient by step'),
    make('div', { class: 'rows' }, ...rows.flatMap((row) => flowRow(row, scale))));
  markFlow();
}

function flowRows(scene) {
  const steps = scene.steps.filter((s) => s.cluster >= 0), rows = new Map();
  for (let i = 0; i < scene.count; ++i) {
    const role = scene.n.role[i];
    if (!scene.n.name[i] || scene.n.adjoint[i] || scene.n.cluster[i] < 0 || rows.has(role)) continue;
    if (['variable', 'copy'].includes(scene.kind(i))) rows.set(role, i);
  }
  const all = [...rows].map(([role, node]) => ({ role, node, scene,
    cells: steps.map((step) => {
      const n = scene.inCluster(node, step.cluster), t = n >= 0 ? gradientOf(scene, n) : null;
      return { step, node: n, norm: t ? (t.bad ? NaN : t.norm) : null };
    }) }));
  const some = all.filter((r) => r.cells.filter((c) => c.norm !== null).length > 1);
  return some.sort((a, b) => (scene.kind(a.node) < scene.kind(b.node) ? 1 : -1) * (scene.kind(a.node) !== scene.kind(b.node)))
    .slice(0, 24);
}

function flowRow(row, scale) {
  const columns = row.cells.length;
  const canvas = make('canvas', { width: columns, height: 1, role: 'img', 'data-row': row.role,
    'aria-label': 'Gradient of ' + row.role + ': ' + verdict(row), title: 'a click goes there' });
  const context = canvas.getContext('2d');
  row.cells.forEach(({ norm }, i) => {
    if (norm === null) return;
    context.fillStyle = Number.isNaN(norm) ? '#d00000' : norm === 0 ? '#e4e4e4' : css(mixed(RISING, scale.place(norm)));
    context.fillRect(i, 0, 1, 1);
  });
  canvas.addEventListener('click', (event) => {
    const cell = row.cells[clamped(Math.floor(event.offsetX / canvas.clientWidth * columns), 0, columns - 1)];
    goToLabel(cell.step.label);
    if (cell.node >= 0) select(state.scene.byId.get(row.scene.n.id[cell.node]) ?? -1, true);
  });
  const strip = make('div', { class: 'strip' }, canvas, make('i', { class: 'here' }));
  return [make('b', {}, row.role), strip, make('span', { class: 'soft' }, verdict(row))];
}

/// Where the gradient, on its way back through time, falls and rises the most.
function verdict(row) {
  const seen = row.cells.filter((c) => c.norm !== null);
  if (seen.some((c) => Number.isNaN(c.norm))) return 'not finite';
  let fall = null, rise = null;
  for (let i = 1; i < seen.length; ++i) {
    if (!seen[i].norm || !seen[i - 1].norm || seen[i].step.domain !== seen[i - 1].step.domain) continue;
    const factor = seen[i - 1].norm / seen[i].norm;  // back: from a step to the one before
    if (!fall || factor < fall.factor) fall = { factor, label: seen[i - 1].step.label };
    if (!rise || factor > rise.factor) rise = { factor, label: seen[i - 1].step.label };
  }
  if (!fall) return 'nothing flows';
  const told = (what, { factor, label }) => what + ' most at ' + label + ': \u00d7' + brief(Number(factor.toPrecision(2)));
  return [fall.factor < 1 ? told('falls', fall) : '', rise.factor > 1 ? told('rises', rise) : ''].filter(Boolean).join(', ');
}

function markFlow() {
  const label = state.scene.steps[state.step]?.label, whole = wholeScene(state.scene);
  const steps = whole.steps.filter((s) => s.cluster >= 0), at = steps.findIndex((s) => s.label === label);
  for (const mark of flowBox.querySelectorAll('.here')) {
    mark.hidden = at < 0;
    mark.style.left = 100 * at / steps.length + '%';
    mark.style.width = 100 / steps.length + '%';
  }
}

/// Nodes that are not finite, and the first ones: all that they read is.
function aboutNotFinite(scene) {
  if (!facts || !scene.n.fact) return [];
  for (const gradient of [false, true]) {
    const bad = (i) => isBad(scene, i, gradient);
    const all = [...Array(scene.count).keys()].filter(bad);
    // a gradient comes from what reads the node
    const source = (i) => (gradient ? ![...scene.from(i)].some((e) => bad(scene.e.to[e]))
      : ![...scene.into(i)].some((e) => bad(scene.e.from[e])));
    if (all.length)
      return [make('h3', { class: 'alarm' }, count(all.length, gradient ? 'gradient' : 'value') + ' not finite'),
        make('p', {}, 'It begins at'),
        make('ul', {}, ...all.filter(source).slice(0, 20).map((i) => make('li', {}, link(i))))];
  }
  return [];
}
