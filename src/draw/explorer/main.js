// The page put together: what the reader does, and what becomes of it.
const MOST_SVG_NODES = 2500;

function setScene(scene, keep = {}) {
  renderer?.done?.();
  state.scene = scene;
  state.selected = -1;
  state.lit = null;
  showFlow();  // it takes room from the stage
  renderer = scene.count > MOST_SVG_NODES ? new CanvasRenderer(scene) : new SvgRenderer(scene);
  stage.setAttribute('aria-label', 'Drawing of ' + (page.title || 'a graph') + ', ' +
    (scene.step ? 'step ' + scene.step + ' as operations' : scene.label) + ', ' +
    count(scene.count, 'node') + '. Arrow keys go from node to node.');
  showViews();
  const slider = element('step');
  element('paths').hidden = !scene.losses().length;
  element('stepping').hidden = scene.steps.length < 2 && !scene.step;
  slider.max = Math.max(scene.steps.length - 1, 0);
  slider.disabled = Boolean(scene.step);
  if (!scene.step) state.step = scene.steps.length > 1 ? clamped(keep.step ?? firstStep(scene), 0, scene.steps.length - 1) : -1;
  showStep();
  moveTo(...(keep.at ?? framingFirst()));
  paintNodes();
  if (keep.node >= 0) select(keep.node, false);
  else refresh();
}

/// The first step that is computed like the others: not the boundary before it.
function firstStep(scene) {
  const load = new Int32Array(scene.clusters.length);
  for (const cluster of scene.n.cluster) if (cluster >= 0) ++load[cluster];
  const most = Math.max(...load, 0);
  return Math.max(scene.steps.findIndex((s) => s.cluster >= 0 && 2 * load[s.cluster] >= most), 0);
}

function setView(number) {
  const from = state.scene, step = from && !from.step ? from.steps[state.step] : returnTo?.step;
  const scene = scenes[number].load(), keep = {};
  state.view = number;
  returnTo = null;
  if (step) {
    const found = scene.steps.findIndex((s) => s.label === step.label);
    if (found >= 0) keep.step = found;
  }
  const chosen = from && state.selected >= 0 ? counterpart(from, state.selected, scene, keep.step ?? 0) : -1;
  setScene(scene, keep);
  if (chosen >= 0) select(chosen, true);
  say(scene.label);
}

/// The same node in another scene: by its id; else by its variable, at a step.
function counterpart(from, node, to, step) {
  const same = to.byId.get(from.n.id[node]);
  if (same !== undefined) return same;
  const variable = variableOf(from.n.role[node]).split('[')[0];
  const clusters = [to.steps[step]?.cluster ?? -1, -1, ...to.clusters.keys()];
  for (const cluster of clusters) {
    const slot = to.bySlot.get(cluster + '/' + variable) ?? -1;
    if (slot >= 0) return slot;
  }
  return -1;
}

function showViews() {
  element('views').replaceChildren(...scenes.map((s, number) => make('button', { type: 'button',
    'aria-pressed': number === state.view && !state.scene.step ? 'true' : 'false',
    onclick: () => setView(number) }, s.label)));
  const expand = element('expand'), step = state.scene.step;
  expand.setAttribute('aria-pressed', step ? 'true' : 'false');
  expand.textContent = 'Operations';
  expand.hidden = !page.steps.length || (!step && (state.scene.name === 'folded' || state.scene.name === 'model'));
}

function showStep() {
  const step = state.scene.step ? { label: state.scene.step } : state.scene.steps[state.step];
  const slider = element('step');
  if (!state.scene.step) slider.value = Math.max(state.step, 0);
  slider.setAttribute('aria-valuetext', step?.label ?? '');
  element('step-label').textContent = step?.label ?? '';
  markFlow();
}

/// Goes to a step: one that a scene leaves out is shown in the scene with all of them.
function goToStep(number, then) {
  const { scene } = state, step = scene.steps[number];
  if (!step || scene.step) return;
  state.step = number;
  if (step.cluster < 0) {
    const all = scenes.findIndex((s) => s.name === scene.name + '_all');
    if (all < 0) return;
    setView(all);
    goToStep(state.scene.steps.findIndex((s) => s.label === step.label), then);
    return;
  }
  showStep();
  const { x, y, w, h } = scene.clusters[step.cluster];
  if (state.selected >= 0) {
    const same = scene.inCluster(state.selected, step.cluster);
    if (same >= 0) select(same, false);
  }
  renderer.mark();
  reveal(x, y, w, h);
  rememberSoon();
  then?.();
}

// ---- a step as operations ----------------------------------------------------------------------

let returnTo = null;  // from there: where the reader was

function expandStep() {
  if (state.scene.step) return collapseStep();
  const step = state.scene.steps[state.step];
  const made = step && step.position && stepScene(step.label, step.domain, step.position);
  if (!made) return say('This step cannot be shown as operations.');
  const from = { scene: state.scene, step, node: state.selected, number: state.step,
    at: [state.x, state.y, state.k] };
  const name = from.node >= 0 ? from.scene.n.name[from.node] : '';
  setScene(made);
  returnTo = from;
  const node = name ? made.n.name.indexOf(name) : -1;
  if (node >= 0) select(node, true);
  say(made.label + ' as operations');
}

function collapseStep() {
  const back = returnTo;
  returnTo = null;
  if (back) setScene(back.scene, { step: back.number, at: back.at, node: back.node });
  else setView(state.view);
}

// ---- selecting ---------------------------------------------------------------------------------

function select(node, go) {
  state.selected = node;
  refresh();
  if (node < 0) return;
  const { scene } = state, step = scene.steps.findIndex((s) => s.cluster === scene.n.cluster[node]);
  if (step >= 0 && !scene.step && scene.n.cluster[node] >= 0) {
    state.step = step;
    showStep();
    renderer.mark();
  }
  if (go) revealNode(node);
  if (renderer instanceof CanvasRenderer || !stage.contains(document.activeElement)) say(scene.said(node));
  if (renderer instanceof SvgRenderer && stage.contains(document.activeElement)) renderer.focus(node);
}

function refresh() {
  const { scene, selected } = state;
  state.lit = state.paths && selected >= 0 ? scene.pathsToLoss(selected) : null;
  element('paths').setAttribute('aria-pressed', String(state.paths));
  renderer.mark();
  refreshPanel();
  rememberSoon();
}

function togglePaths() {
  state.paths = !state.paths;
  refresh();
  if (state.lit) say(pathsText(state.lit, state.selected));
  else if (state.paths) say('Select a node to see its paths to the loss.');
}

/// The neighbour on the way up, down; or the same node a step on.
function walk(direction) {
  const { scene, selected } = state;
  if (selected < 0) return select(0, true);
  if (direction === 'up' || direction === 'down') {
    const edges = direction === 'up' ? scene.into(selected) : scene.from(selected);
    const ends = direction === 'up' ? scene.e.from : scene.e.to;
    if (edges.length) select(ends[edges[0]], true);
    return;
  }
  const by = direction === 'left' ? -1 : 1, cluster = scene.n.cluster[selected];
  for (let s = scene.steps.findIndex((step) => step.cluster === cluster) + by;
    cluster >= 0 && s >= 0 && s < scene.steps.length; s += by) {
    if (scene.steps[s].cluster < 0) return goToStep(s);
    const same = scene.inCluster(selected, scene.steps[s].cluster);
    if (same >= 0) return select(same, true);
  }
}

// ---- search ------------------------------------------------------------------------------------

const search = element('search'), found = element('found');
let hits = [], hit = 0;

function findNodes(text) {
  const wanted = text.trim().toLowerCase(), { n, count: all } = state.scene, starts = [], others = [];
  for (let i = 0; wanted && i < all && starts.length < 50; ++i) {
    const name = n.name[i].toLowerCase(), op = n.op[i].toLowerCase();
    if (name.startsWith(wanted)) starts.push(i);
    else if (others.length < 50 && (name.includes(wanted) || (!name && op.includes(wanted)))) others.push(i);
  }
  return [...starts, ...others].slice(0, 50);
}

function showHits() {
  found.hidden = !hits.length;
  search.setAttribute('aria-expanded', String(hits.length > 0));
  found.replaceChildren(...hits.map((node, i) => make('li', { role: 'option', id: 'hit' + i,
    'aria-selected': String(i === hit), onpointerdown: (event) => { event.preventDefault(); goToHit(i); } },
  state.scene.said(node))));
  if (hits.length) search.setAttribute('aria-activedescendant', 'hit' + hit);
  else search.removeAttribute('aria-activedescendant');
  found.children[hit]?.scrollIntoView({ block: 'nearest' });
}

function goToHit(number) {
  const node = hits[number];
  hits = [];
  showHits();
  if (node === undefined) return;
  select(node, true);
  renderer.focus(node);
}

search.addEventListener('input', () => {
  hits = findNodes(search.value);
  hit = 0;
  showHits();
  if (search.value) say(count(hits.length, 'node') + ' found');
});
search.addEventListener('keydown', (event) => {
  event.stopPropagation();
  if (event.key === 'Enter') goToHit(hit);
  else if (event.key === 'Escape') { hits = []; showHits(); stage.focus(); }
  else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    event.preventDefault();
    hit = hits.length ? (hit + (event.key === 'ArrowDown' ? 1 : hits.length - 1)) % hits.length : 0;
    showHits();
  }
});
search.addEventListener('blur', () => { hits = []; showHits(); });

// ---- links -------------------------------------------------------------------------------------

let remembering = 0, remembered = '';

function rememberSoon() {
  clearTimeout(remembering);
  remembering = setTimeout(remember, 250);
}

/// The state as the address says it, so that a link leads back to it.
function remember() {
  const { scene, selected, step, paths, x, y, k } = state, to = new URLSearchParams();
  to.set('view', scenes[state.view].name);
  if (scene.step) to.set('operations', scene.step);
  else if (scene.steps[step]) to.set('step', scene.steps[step].label);
  if (selected >= 0) to.set('node', scene.n.id[selected]);
  if (paths) to.set('paths', '1');
  if (facts) to.set('colour', colouring);
  to.set('at', [x, y, k].map((v) => Number(v.toPrecision(6))).join(','));
  remembered = '#' + to;
  history.replaceState(null, '', remembered);
}

function recall() {
  const to = new URLSearchParams(location.hash.slice(1));
  const view = scenes.findIndex((s) => s.name === to.get('view'));
  state.paths = to.get('paths') === '1';
  setColouring(to.get('colour') ?? (to.has('view') ? '' : colouring));
  state.view = view < 0 ? page.first : view;
  state.selected = -1;
  returnTo = null;
  const scene = scenes[state.view].load(), label = to.get('operations') ?? to.get('step');
  const step = scene.steps.findIndex((s) => s.label === label);
  const at = to.get('at')?.split(',').map(Number);
  const keep = { step: step >= 0 ? step : undefined };
  if (at?.length === 3 && at.every(Number.isFinite) && at[2] > 0) keep.at = at;
  setScene(scene, to.has('operations') ? { step: keep.step } : keep);
  if (to.has('operations') && step >= 0) expandStep();
  const node = state.scene.byId.get(to.get('node')) ?? -1;
  if (node >= 0) select(node, !keep.at);
  else if (step >= 0 && !keep.at && !to.has('operations')) goToStep(step);
}

addEventListener('hashchange', () => { if (location.hash !== remembered) recall(); });

// ---- keys, buttons -----------------------------------------------------------------------------

const help = element('help');
const actions = {
  '+': () => zoomMiddle(1.3), '=': () => zoomMiddle(1.3), '-': () => zoomMiddle(1 / 1.3),
  f: fit, 0: fit, p: togglePaths, e: expandStep, '?': () => help.showModal(),
  c: () => nextColouring(),
  v: () => setView((state.view + 1) % scenes.length),
  '/': () => search.focus(),
  '[': () => goToStep(clamped(state.step - 1, 0, state.scene.steps.length - 1)),
  ']': () => goToStep(clamped(state.step + 1, 0, state.scene.steps.length - 1)),
  ArrowUp: () => walk('up'), ArrowDown: () => walk('down'),
  ArrowLeft: () => walk('left'), ArrowRight: () => walk('right'),
  Escape: () => (state.selected >= 0 ? select(-1, false) : state.scene.step ? collapseStep() : undefined),
};

addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
  if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  if (event.key.startsWith('Arrow') && !stage.contains(event.target) && event.target !== document.body) return;
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});
for (const [id, action] of Object.entries({ in: actions['+'], out: actions['-'], fit, paths: togglePaths,
  expand: expandStep, keys: actions['?'], close: () => help.close() }))
  element(id).addEventListener('click', action);
element('colour').addEventListener('change', (event) => {
  setColouring(event.target.value);
  paintNodes();
  rememberSoon();
});
element('step').addEventListener('input', (event) => goToStep(Number(event.target.value)));

new ResizeObserver(() => renderer?.resize()).observe(stage);
addEventListener('beforeprint', () => renderer.printing(true));
addEventListener('afterprint', () => renderer.printing(false));

element('colouring').hidden = !facts;
element('colour').append(...Object.entries(COLOURINGS).map(([value, label]) => make('option', { value }, label)));
element('title').textContent = page.title || 'taugrad';
recall();
