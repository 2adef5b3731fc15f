// Drawings of some thousand nodes: as SVG, in which every node is an element of the page.
const SVG = 'http://www.w3.org/2000/svg';

function draw(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes))
    if (value !== '') made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/// "h[3]" with its step raised.
function raised(text, printed) {
  const [, base, step] = printed && text.match(/^(.+)\[(.+)\]$/) || [];
  return step ? [base, draw('tspan', { dy: -5, class: 'up' }, '(' + step + ')')] : [text];
}

class SvgRenderer {
  constructor(scene) {
    this.scene = scene;
    this.world = draw('g', {});
    this.svg = draw('svg', { xmlns: SVG, role: 'presentation' }, arrowHeads(), this.world);
    this.clusters = scene.clusters.map((c) => draw('g', { class: 'cl' + (c.elided ? ' gap' : '') + (scene.printed ? ' bare' : '') },
      draw('rect', { x: c.x, y: c.y, width: c.w, height: c.h, rx: 8 })));
    const captions = scene.printed ? [] : scene.clusters.map((c) => draw('text',
      { x: c.caption, y: c.y + 14, class: 'cap' }, c.label));
    this.edges = Array.from({ length: scene.edgeCount }, (_, e) => this.edge(e));
    const order = [...this.edges.keys()].sort((a, b) => this.rank(a) - this.rank(b) || a - b);
    this.nodes = Array.from({ length: scene.count }, (_, i) => this.node(i));
    this.world.append(...this.clusters, ...order.map((e) => this.edges[e]), ...captions,
      ...this.nodes, ...this.squares(), ...this.edgeLabels());
    this.marked = [];
    stage.replaceChildren(this.svg);
    this.nodes[0]?.setAttribute('tabindex', '0');
    this.move();
  }

  rank(e) { return [2, 1, 3, 0][this.scene.e.kind[e]]; }

  edge(e) {
    const { x, y, kind, delayed, route } = this.scene.e, name = EDGES[kind[e]];
    return draw('g', { class: 'e ' + name + (delayed[e] ? ' delayed' : '') }, draw('path', {
      d: this.scene.routes[route[e]],
      transform: 'translate(' + x[e] + ' ' + y[e] + ')',
      'marker-end': 'url(#a-' + name + ')',
    }));
  }

  // a black square on a line: what is read is that of another step
  squares() {
    const at = this.scene.squares, made = [];
    for (let i = 0; i < at.length; i += 2)
      made.push(draw('rect', { x: at[i] - 3.5, y: at[i + 1] - 3.5, width: 7, height: 7, class: 'sq' }));
    return made;
  }

  edgeLabels() {
    const { label, label_x, label_y } = this.scene.e, seen = new Set(), made = [];
    for (let e = 0; e < this.scene.edgeCount; ++e) {
      const key = label[e] + ' ' + label_x[e] + ' ' + label_y[e];
      if (!label[e] || seen.has(key)) continue;
      seen.add(key);
      made.push(draw('text', { x: label_x[e], y: label_y[e] + 3.5, class: 'el' }, label[e]));
    }
    return made;
  }

  node(i) {
    const { scene } = this, { x, y, w, h, adjoint, op, name } = scene.n, kind = scene.kind(i);
    const box = (inset, radius, extra) => draw('rect', { x: x[i] - w[i] / 2 + inset,
      y: y[i] - h[i] / 2 + inset, width: w[i] - 2 * inset, height: h[i] - 2 * inset, rx: radius, ...extra });
    const line = (dy, text, extra) => draw('text', { x: x[i], y: y[i] + dy, ...extra }, ...raised(text, scene.printed));
    const round = scene.printed ? h[i] / 2 : name[i] ? 5 : 9;
    const made = draw('g', { class: 'n ' + kind + (adjoint[i] ? ' adjoint' : '') + (adjoint[i] > 1 ? ' second' : ''), tabindex: '-1',
      role: 'button', 'aria-label': scene.said(i), 'data-node': i }, box(0, round));
    if (kind === 'random') made.append(box(2.5, round - 2, { class: 'in' }));
    const second = name[i] ? secondLine(scene, i) : '';
    if (!name[i]) made.append(line(4, op[i], { class: 'o' }));
    else if (!second) made.append(line(4, name[i]));
    else made.append(line(-2, name[i]), line(11, second, { class: 's' }));
    made.addEventListener('focus', () => { if (state.selected !== i) select(i, true); });
    return made;
  }

  move() {
    const { x, y, k } = state;
    this.world.setAttribute('transform', 'translate(' + x + ' ' + y + ') scale(' + k + ')');
  }

  /// Shows what is selected, near it, lit; and the step.
  mark() {
    for (const made of this.marked) made.classList.remove('sel', 'near', 'lit', 'on');
    this.marked = [];
    for (const path of this.weighed ?? []) path.style.strokeWidth = '';
    this.weighed = [];
    const mark = (made, name) => { made.classList.add(name); this.marked.push(made); };
    const { selected, lit, step } = state, { scene } = this;
    if (selected >= 0) {
      mark(this.nodes[selected], 'sel');
      for (const [edges, ends] of [[scene.into(selected), scene.e.from], [scene.from(selected), scene.e.to]])
        for (const e of edges) {
          mark(this.edges[e], 'near');
          this.weigh(e);
          mark(this.nodes[ends[e]], 'near');
        }
    }
    if (lit) {
      lit.nodes.forEach((on, i) => on && mark(this.nodes[i], 'lit'));
      lit.edges.forEach((on, e) => on && mark(this.edges[e], 'lit'));
    }
    this.svg.classList.toggle('dim', Boolean(lit));
    const cluster = scene.steps[step]?.cluster ?? -1;
    if (cluster >= 0) mark(this.clusters[cluster], 'on');
    this.nodes.forEach((made, i) => made.setAttribute('tabindex',
      i === Math.max(selected, 0) ? '0' : '-1'));
  }

  // an edge of the selected node is as thick as its share of the gradient
  weigh(e) {
    const share = number(this.scene.e.share?.[e] ?? NaN);
    if (Number.isNaN(share)) return;
    const path = this.edges[e].firstChild;
    path.style.strokeWidth = 1.2 + 2.8 * Math.min(Math.abs(share), 1.2) + 'px';
    this.weighed.push(path);
  }

  focus(node) { this.nodes[node]?.focus({ preventScroll: true }); }

  /// Colours of nodes by number, or null: as their kinds say.
  paint(colours) {
    this.nodes.forEach((made, i) => {
      const [fill, ink] = colours?.[i] ?? ['', ''];
      made.firstChild.style.fill = fill;
      made.classList.toggle('bad', isBad(this.scene, i));
      for (const text of made.querySelectorAll('text')) text.style.fill = ink;
    });
    this.edges.forEach((made, e) => made.classList.toggle('bad', isBadEdge(this.scene, e)));
  }

  resize() {}
  printing(on) {
    const { width, height } = this.scene;
    if (on) {
      this.svg.setAttribute('viewBox', '0 0 ' + width + ' ' + height);
      this.world.removeAttribute('transform');
    } else {
      this.svg.removeAttribute('viewBox');
      this.move();
    }
  }
}

/// "tanh [3]" below the name.
function secondLine(scene, i) {
  const { op, shape } = scene.n;
  return [op[i], shape[i]].filter(Boolean).join(' ');
}

function arrowHeads() {
  return draw('defs', {}, ...[...EDGES, 'lit'].map((name) => draw('marker', { id: 'a-' + name,
    viewBox: '0 0 8 6', refX: 7.5, refY: 3, markerWidth: 8, markerHeight: 6,
    markerUnits: 'userSpaceOnUse', orient: 'auto' }, draw('path', { d: 'M0 0L8 3L0 6z' }))));
}
