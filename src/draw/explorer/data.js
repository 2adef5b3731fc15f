// What the page holds: scenes, each parsed when it is first shown.
const KINDS = ['input', 'weight', 'copy', 'variable', 'random', 'loss', 'constant', 'operation',
  'ellipsis'];
const LOSS = 5, ELLIPSIS = 8;
const EDGES = ['data', 'share', 'back', 'recall'];

const element = (id) => document.getElementById(id);
const stored = (id) => JSON.parse(element(id).textContent);
const page = stored('page');

/// A tag with attributes and children, which are texts or other elements.
function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (value !== false) made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children);
  return made;
}

class Scene {
  constructor(about, data) {
    Object.assign(this, about);
    const { texts, routes, nodes, edges } = data;
    const tenth = (column) => Float32Array.from(column, (v) => v / 10);
    const text = (column) => column.map((i) => texts[i]);
    this.about = data.about;
    this.width = data.width / 10;
    this.height = data.height / 10;
    this.clusters = data.clusters.map((c) => (
      { ...c, x: c.x / 10, y: c.y / 10, w: c.w / 10, h: c.h / 10, caption: c.caption / 10 }));
    this.routes = routes;
    this.printed = data.printed;  // as books do: circles, names with their step raised
    this.squares = tenth(data.squares);
    this.n = { ...nodes, op: text(nodes.op), shape: text(nodes.shape), title: text(nodes.title),
      role: text(nodes.role), x: tenth(nodes.x), y: tenth(nodes.y), w: tenth(nodes.w),
      h: tenth(nodes.h) };
    this.e = { ...edges, label: text(edges.label), x: tenth(edges.x), y: tenth(edges.y),
      label_x: tenth(edges.label_x), label_y: tenth(edges.label_y) };
    this.count = nodes.id.length;
    this.edgeCount = edges.from.length;
    this.byId = new Map(nodes.id.map((id, i) => [id, i]));
    this.connect();
    this.bySlot = new Map();  // "cluster/role" -> node: the same node of another step
    for (let i = 0; i < this.count; ++i)
      this.bySlot.set(this.n.cluster[i] + '/' + this.n.role[i] + "'".repeat(this.n.adjoint[i]), i);
    this.steps = stepsOf(this);
  }

  // edges by node, in compressed rows: `into` and `from` hold edge numbers
  connect() {
    const rows = (ends) => {
      const first = new Int32Array(this.count + 1);
      for (const node of ends) ++first[node + 1];
      for (let i = 0; i < this.count; ++i) first[i + 1] += first[i];
      const at = first.slice(), list = new Int32Array(this.edgeCount);
      for (let e = 0; e < this.edgeCount; ++e) list[at[ends[e]]++] = e;
      return (node) => list.subarray(first[node], first[node + 1]);
    };
    this.into = rows(this.e.to);
    this.from = rows(this.e.from);
  }

  /// "h[3]"; of a step on the way to it, "@ of h[3]".
  caption(node) {
    const { name, op, title } = this.n, owner = /^(.*?) \(/.exec(title[node]);
    return name[node] || op[node] + (owner && owner[1] ? ' of ' + owner[1] : '');
  }
  kind(node) { return KINDS[this.n.kind[node]]; }

  /// What a screen reader says of a node.
  said(node) {
    const { title, shape } = this.n;
    return this.kind(node) === 'operation' || !this.n.name[node]
      ? title[node] || this.caption(node)
      : this.n.name[node] + ', ' + this.kind(node) + (shape[node] ? ', shape ' + shape[node] : '');
  }

  /// The node of the same role in another cluster, or -1.
  inCluster(node, cluster) {
    const slot = cluster + '/' + this.n.role[node] + "'".repeat(this.n.adjoint[node]);
    return this.bySlot.get(slot) ?? -1;
  }

  at(x, y) {
    for (let i = this.count; i-- > 0;) {
      const { x: cx, y: cy, w, h } = this.n;
      if (Math.abs(x - cx[i]) <= w[i] / 2 && Math.abs(y - cy[i]) <= h[i] / 2) return i;
    }
    return -1;
  }

  losses() {
    const all = [...Array(this.count).keys()].filter((i) => this.n.kind[i] === LOSS);
    const total = all.filter((i) => this.n.name[i] === 'loss');
    return total.length ? total : all;
  }

  /// Nodes that can be reached from some, along the edges or against them.
  reach(nodes, forward) {
    const seen = new Uint8Array(this.count), open = [...nodes];
    for (const node of open) seen[node] = 1;
    while (open.length) {
      const node = open.pop();
      for (const e of forward ? this.from(node) : this.into(node)) {
        const next = forward ? this.e.to[e] : this.e.from[e];
        if (!seen[next]) { seen[next] = 1; open.push(next); }
      }
    }
    return seen;
  }

  /// All paths from a node to the loss: what back-propagation follows.
  pathsToLoss(node) {
    const after = this.reach([node], true), before = this.reach(this.losses(), false);
    const nodes = after.map((v, i) => v & before[i]), edges = new Uint8Array(this.edgeCount);
    for (let e = 0; e < this.edgeCount; ++e) edges[e] = nodes[this.e.from[e]] & nodes[this.e.to[e]];
    return { nodes, edges, count: this.countPaths(node, nodes, edges) };
  }

  // how many they are; NaN where a delay closes a circle
  countPaths(node, nodes, edges) {
    const waiting = new Int32Array(this.count), paths = new Float64Array(this.count);
    for (let e = 0; e < this.edgeCount; ++e) if (edges[e]) ++waiting[this.e.to[e]];
    const ends = new Set(this.losses()), open = [node];
    if (!nodes[node]) return 0;
    if (waiting[node]) return NaN;
    paths[node] = 1;
    let done = 0, total = 0;
    while (open.length) {
      const next = open.pop();
      ++done;
      if (ends.has(next)) total += paths[next];
      for (const e of this.from(next)) {
        if (!edges[e]) continue;
        const to = this.e.to[e];
        paths[to] += paths[next];
        if (--waiting[to] === 0) open.push(to);
      }
    }
    return done < nodes.reduce((a, b) => a + b, 0) ? NaN : total;
  }
}

// Clusters in order; of a scene that leaves out its middle, the positions between too (cluster -1).
function stepsOf(scene) {
  const steps = scene.clusters.map((c, cluster) => ({ cluster, label: c.label, ...c }));
  steps.sort((a, b) => (a.domain < b.domain ? -1 : a.domain > b.domain ? 1 : 0) ||
    comparePositions(a.position, b.position));
  const all = page.scenes.some((s) => s.name === scene.name + '_all');
  if (scene.whole || !all || !steps.every((s) => s.position.length === 1)) return steps;
  const filled = [];
  for (const step of steps) {
    const last = filled.at(-1);
    if (last && last.domain === step.domain)
      for (let p = last.position[0] + 1; p < step.position[0]; ++p)
        filled.push({ cluster: -1, domain: step.domain, position: [p], label: step.domain + ' = ' + p });
    const first = step.position[0];
    filled.push(step.elided
      ? { ...step, cluster: -1, elided: false, label: step.domain + ' = ' + first } : step);
  }
  return filled;
}

function comparePositions(a, b) {
  for (let i = 0; i < Math.min(a.length, b.length); ++i) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

const scenes = page.scenes.map((about, i) => (
  { ...about, load() { return (this.scene ??= new Scene(about, stored('scene' + i))); } }));

/// A step as operations. Of one that the page does not hold, a step that is computed alike, with
/// its positions moved; null where there is none.
function stepScene(label, domain, position) {
  const exact = page.steps.findIndex((s) => s.label === label);
  if (exact >= 0) return new Scene({ ...page.steps[exact], step: label }, stored('step' + exact));
  const own = page.steps.map((s, i) => ({ s, i })).filter(({ s }) => s.label.startsWith(domain + ' = '));
  if (position.length !== 1 || own.length < 5) return null;
  const model = own[2], shift = position[0] - Number(model.s.label.split(' = ')[1]);
  const moved = stored('step' + model.i);
  const move = (text) => text.replace(/\[(\d+)\]/g, (_, p) => '[' + (Number(p) + shift) + ']');
  const moveTitle = (text) => {
    const shape = text.lastIndexOf(', shape');
    return shape < 0 ? text : move(text.slice(0, shape)) + text.slice(shape);
  };
  moved.texts = moved.texts.map(moveTitle);
  moved.nodes.name = moved.nodes.name.map(move);
  if (moved.nodes.fact) {  // those of the step itself, as far as they are drawn
    const { n } = state.scene, known = new Map(n.name.map((name, i) => [name, n.fact?.[i] ?? -1]));
    moved.nodes.fact = moved.nodes.name.map((name) => (name && known.get(name)) ?? -1);
    delete moved.edges.share;
  }
  for (const c of moved.clusters) {
    c.position = [c.position[0] + shift];
    c.label = domain + ' = ' + c.position[0];
  }
  return new Scene({ ...model.s, name: label, label, step: label }, moved);
}
