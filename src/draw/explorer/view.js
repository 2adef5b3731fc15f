// What is shown, and how: the page's state, and the moves of the view.
const stage = element('stage');
const calm = matchMedia('(prefers-reduced-motion: reduce)');
const state = {
  view: 0,         // number of the scene in `scenes`
  scene: null,     // what is drawn: that scene, or a step of it as operations
  selected: -1,
  step: -1,        // number in scene.steps
  paths: false,    // lit from the selected node to the loss
  lit: null,       // { nodes, edges, count }
  x: 0, y: 0, k: 1,  // of the drawing's origin on the stage, and its scale
};
let renderer = null;
let running = 0;  // the animation

const LEAST_SCALE = 0.004, MOST_SCALE = 6;
const clamped = (v, least, most) => Math.min(Math.max(v, least), most);

function moveTo(x, y, k) {
  Object.assign(state, { x, y, k: clamped(k, LEAST_SCALE, MOST_SCALE) });
  renderer?.move();
  rememberSoon();
}

/// The view glides there, or is there at once where motion is to be reduced.
function glideTo(x, y, k) {
  cancelAnimationFrame(running);
  if (calm.matches || document.hidden) return moveTo(x, y, k);
  const from = { ...state }, start = performance.now();
  const frame = (now) => {
    const f = Math.min((now - start) / 180, 1), s = f * f * (3 - 2 * f);
    moveTo(from.x + (x - from.x) * s, from.y + (y - from.y) * s, from.k * (k / from.k) ** s);
    if (f < 1) running = requestAnimationFrame(frame);
  };
  running = requestAnimationFrame(frame);
}

function zoomAt(px, py, factor) {
  const k = clamped(state.k * factor, LEAST_SCALE, MOST_SCALE), f = k / state.k;
  moveTo(px - (px - state.x) * f, py - (py - state.y) * f, k);
}

const zoomMiddle = (factor) => zoomAt(stage.clientWidth / 2, stage.clientHeight / 2, factor);

/// The place and scale at which all of a rectangle is seen; not larger than `most`.
function framing(x, y, w, h, most = 1.5) {
  const width = stage.clientWidth, height = stage.clientHeight;
  const k = clamped(Math.min((width - 16) / w, (height - 16) / h), LEAST_SCALE, most);
  return [width / 2 - (x + w / 2) * k, height / 2 - (y + h / 2) * k, k];
}

const framingAll = () => framing(0, 0, state.scene.width, state.scene.height);
const fit = () => glideTo(...framingAll());

/// At first a long drawing is shown from its beginning, at a size that can be read.
function framingFirst() {
  const all = framingAll();
  if (all[2] > 0.45) return all;
  const k = clamped((stage.clientHeight - 16) / state.scene.height, 0.45, 1);
  return [8, Math.max(8, (stage.clientHeight - state.scene.height * k) / 2), k];
}

/// Moves the view as little as it takes to see a rectangle of the drawing.
function reveal(x, y, w, h) {
  const margin = 24, k = Math.max(state.k, 0.45);
  let left = state.x, top = state.y;
  if (k !== state.k) {
    left = stage.clientWidth / 2 - (x + w / 2) * k;
    top = stage.clientHeight / 2 - (y + h / 2) * k;
  }
  const shift = (origin, at, size, room) => {
    if (size * k > room - 2 * margin) return room / 2 - (at + size / 2) * k;
    return clamped(origin, margin - at * k, room - margin - (at + size) * k);
  };
  left = shift(left, x, w, stage.clientWidth);
  top = shift(top, y, h, stage.clientHeight);
  if (left !== state.x || top !== state.y || k !== state.k) glideTo(left, top, k);
}

function revealNode(node) {
  const { x, y, w, h } = state.scene.n;
  reveal(x[node] - w[node] / 2, y[node] - h[node] / 2, w[node], h[node]);
}

// ---- the pointer ------------------------------------------------------------------------------

const pointers = new Map();
let travelled = 0;

function place(event) {
  const box = stage.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

stage.addEventListener('pointerdown', (event) => {
  if (event.button !== 0) return;
  cancelAnimationFrame(running);
  pointers.set(event.pointerId, place(event));
  travelled = 0;
});
stage.addEventListener('pointermove', (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) return;
  const now = place(event), dx = now[0] - before[0], dy = now[1] - before[1];
  travelled += Math.abs(dx) + Math.abs(dy);
  if (travelled > 4 && !stage.hasPointerCapture(event.pointerId)) {
    stage.setPointerCapture(event.pointerId);
    stage.classList.add('moving');
  }
  pointers.set(event.pointerId, now);
  if (pointers.size === 1) {
    if (travelled > 4) moveTo(state.x + dx, state.y + dy, state.k);
    return;
  }
  const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
  const distance = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]) || 1;
  zoomAt((now[0] + other[0]) / 2, (now[1] + other[1]) / 2, distance(now) / distance(before));
});
for (const type of ['pointerup', 'pointercancel'])
  stage.addEventListener(type, (event) => {
    if (!pointers.delete(event.pointerId)) return;
    stage.classList.remove('moving');
    if (type === 'pointercancel' || travelled > 4) return;
    const [px, py] = place(event);
    select(state.scene.at((px - state.x) / state.k, (py - state.y) / state.k), false);
  });
stage.addEventListener('wheel', (event) => {
  event.preventDefault();
  const lines = event.deltaMode === 1 ? 16 : 1;
  zoomAt(...place(event), Math.exp(-clamped(event.deltaY * lines, -240, 240) / 400));
}, { passive: false });
stage.addEventListener('dblclick', (event) => {
  const [px, py] = place(event);
  const x = (px - state.x) / state.k, y = (py - state.y) / state.k;
  const cluster = state.scene.clusters.findIndex(
    (c) => x >= c.x && x <= c.x + c.w && y >= c.y && y <= c.y + c.h);
  if (cluster >= 0) goToStep(state.scene.steps.findIndex((s) => s.cluster === cluster), expandStep);
});
