// Large drawings: on a canvas. What was drawn is kept, with a margin around the stage, so that
// moving the view copies pixels; only what lies there is drawn, found by columns of the drawing.
const COLUMN = 512, MARGIN = 0.5, MOST_COLUMNS = 4;

class CanvasRenderer {
  constructor(scene) {
    this.scene = scene;
    this.canvas = make('canvas', { 'aria-hidden': 'true' });
    this.kept = document.createElement('canvas');
    this.colours = null;
    this.paths = [];
    this.arrange();
    stage.replaceChildren(this.canvas);
    this.scheme = matchMedia('(prefers-color-scheme: dark)');
    this.scheme.addEventListener('change', this.onScheme = () => { this.style = null; this.mark(); });
    this.resize();
  }

  /// Nodes and edges by the columns that they touch; edges that touch many stand apart.
  arrange() {
    const { scene } = this, { x, w } = scene.n;
    const columns = Math.floor(scene.width / COLUMN) + 2;
    const empty = () => Array.from({ length: columns }, () => []);
    const column = (at) => clamped(Math.floor(at / COLUMN), 0, columns - 1);
    this.nodeColumns = empty();
    this.edgeColumns = empty();
    this.longEdges = [];
    for (let i = 0; i < scene.count; ++i)
      for (let c = column(x[i] - w[i] / 2); c <= column(x[i] + w[i] / 2); ++c) this.nodeColumns[c].push(i);
    const spans = scene.routes.map((route) => {
      const xs = (route.match(/-?[\d.]+/g) ?? []).filter((_, i) => i % 2 === 0).map(Number);
      return [Math.min(...xs), Math.max(...xs)];
    });
    for (let e = 0; e < scene.edgeCount; ++e) {
      const [low, high] = spans[scene.e.route[e]], at = scene.e.x[e];
      const first = column(at + low), last = column(at + high);
      if (last - first >= MOST_COLUMNS) this.longEdges.push(e);
      else for (let c = first; c <= last; ++c) this.edgeColumns[c].push(e);
    }
    this.seen = new Int32Array(Math.max(scene.count, scene.edgeCount));
    this.stamp = 0;
  }

  resize() {
    const ratio = devicePixelRatio || 1;
    this.ratio = ratio;
    this.canvas.width = Math.round(stage.clientWidth * ratio);
    this.canvas.height = Math.round(stage.clientHeight * ratio);
    this.keptAt = null;
    this.move();
  }

  mark() {
    this.keptAt = null;
    this.move();
  }
  paint(colours) {
    this.colours = colours;
    this.mark();
  }
  focus() { stage.focus({ preventScroll: true }); }

  move() {
    if (this.due) return;
    this.due = requestAnimationFrame(() => {
      this.due = 0;
      this.show();
    });
  }

  /// Copies what is kept; draws it anew where that is not enough, or blurred for a moment.
  show() {
    const { x, y, k } = state, at = this.keptAt, width = stage.clientWidth, height = stage.clientHeight;
    const scaled = at && at.k !== k;
    const covers = at && this.covers(at, x, y, k, width, height);
    if (!at || (!covers && !scaled) || (scaled && performance.now() - at.drawn > at.cost * 3)) this.keep();
    else if (scaled) {
      clearTimeout(this.later);
      this.later = setTimeout(() => { this.keptAt = null; this.move(); }, 90);
    }
    const kept = this.keptAt, context = this.canvas.getContext('2d'), f = k / kept.k;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = this.styles().bg;
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    const left = (x - kept.x * f - kept.mx * f) * this.ratio, top = (y - kept.y * f - kept.my * f) * this.ratio;
    context.drawImage(this.kept, left, top, this.kept.width * f, this.kept.height * f);
  }

  covers(at, x, y, k, width, height) {
    if (at.k !== k) return false;
    const dx = x - at.x, dy = y - at.y;
    return dx <= at.mx && -dx <= at.mx && dy <= at.my && -dy <= at.my && width > 0 && height > 0;
  }

  styles() {
    if (this.style) return this.style;
    const css = getComputedStyle(document.documentElement), all = {};
    for (const name of ['bg', 'fg', 'soft', 'faint', 'line', 'accent', 'lit', 'step', ...KINDS, 'adjoint',
      'adjoint-op', 'second', 'second-op', 'again', 'stroke', 'edge', 'bad', 'share', 'back', 'recall']) all[name] = css.getPropertyValue('--' + name);
    all.data = all.edge;
    return (this.style = all);
  }

  keep() {
    const started = performance.now(), { x, y, k } = state;
    const mx = Math.round(stage.clientWidth * MARGIN), my = Math.round(stage.clientHeight * MARGIN);
    const width = stage.clientWidth + 2 * mx, height = stage.clientHeight + 2 * my;
    this.kept.width = Math.round(width * this.ratio);
    this.kept.height = Math.round(height * this.ratio);
    const context = this.kept.getContext('2d');
    context.fillStyle = this.styles().bg;
    context.fillRect(0, 0, this.kept.width, this.kept.height);
    const left = (-mx - x) / k, right = left + width / k;
    this.drawInto(context, { x: (x + mx) * this.ratio, y: (y + my) * this.ratio, k: k * this.ratio, left, right });
    const now = performance.now();
    this.keptAt = { x, y, k, mx, my, drawn: now, cost: now - started };
  }

  /// Numbers in the columns between left and right, each once.
  *among(columns, left, right, more = []) {
    const stamp = ++this.stamp, first = clamped(Math.floor(left / COLUMN), 0, columns.length - 1);
    const last = clamped(Math.floor(right / COLUMN), 0, columns.length - 1);
    for (let c = first; c <= last; ++c)
      for (const i of columns[c])
        if (this.seen[i] !== stamp) { this.seen[i] = stamp; yield i; }
    yield* more;
  }

  drawInto(context, at) {
    this.base = () => context.setTransform(at.k, 0, 0, at.k, at.x, at.y);
    this.base();
    this.context = context;
    this.detailed = at.k / this.ratio > 0.3;
    this.drawClusters(at);
    if (at.k / this.ratio > 0.12) this.drawRoutes(at);
    else this.drawLines(at);
    this.drawNodes(at);
  }

  drawClusters({ left, right, k }) {
    const { context, scene } = this, style = this.styles(), on = scene.steps[state.step]?.cluster ?? -1;
    scene.clusters.forEach((c, number) => {
      if (c.x > right || c.x + c.w < left) return;
      context.fillStyle = style.step;
      context.strokeStyle = number === on ? style.accent : style.line;
      context.lineWidth = number === on ? Math.max(2.5, 2 * this.ratio / k) : 1;
      context.beginPath();
      context.roundRect(c.x, c.y, c.w, c.h, 8);
      if (!c.elided) context.fill();
      context.stroke();
      if (!this.detailed) return;
      this.text(c.label, c.caption, c.y + 14, 11, style.faint);
    });
  }

  text(content, x, y, size, colour) {
    this.context.font = size + 'px Helvetica,Arial,"Liberation Sans",sans-serif';
    this.context.textAlign = 'center';
    this.context.fillStyle = colour;
    this.context.fillText(content, x, y);
  }

  edgeColour(e) {
    const style = this.styles(), { lit, selected } = state, { from, to, kind } = this.scene.e;
    if (isBadEdge(this.scene, e)) return [style.bad, 3, 1];
    if (lit) return lit.edges[e] ? [style.lit, 2.4, 1] : [style[EDGES[kind[e]]], 1.1, 0.2];
    const near = from[e] === selected || to[e] === selected;
    return [style[EDGES[kind[e]]], near ? 2.4 : 1.1, 1];
  }

  // far away: straight, all of one colour at once
  drawLines({ left, right, k }) {
    const { context, scene } = this, groups = new Map(), { from, to } = scene.e, { x, y } = scene.n;
    for (const e of this.among(this.edgeColumns, left, right, this.longEdges)) {
      const [colour, width, alpha] = this.edgeColour(e), key = colour + alpha + width;
      if (!groups.has(key)) groups.set(key, { colour, width, alpha, path: new Path2D() });
      const { path } = groups.get(key);
      path.moveTo(x[from[e]], y[from[e]]);
      path.lineTo(x[to[e]], y[to[e]]);
    }
    for (const { colour, width, alpha, path } of groups.values()) {
      context.strokeStyle = colour;
      context.globalAlpha = alpha * 0.6;
      context.lineWidth = Math.max(width, 0.7 * width * this.ratio / k);
      context.stroke(path);
    }
    context.globalAlpha = 1;
  }

  drawRoutes(at) {
    const { context, scene } = this, { x, y, route, delayed, label, label_x, label_y } = scene.e;
    const labels = [];
    for (const e of this.among(this.edgeColumns, at.left, at.right, this.longEdges)) {
      const [colour, width, alpha] = this.edgeColour(e), shape = scene.routes[route[e]];
      context.setTransform(at.k, 0, 0, at.k, at.x + x[e] * at.k, at.y + y[e] * at.k);
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.globalAlpha = alpha;
      context.setLineDash(delayed[e] ? [5, 3] : []);
      context.stroke(this.paths[route[e]] ??= new Path2D(shape));
      if (this.detailed) this.head(shape, colour);
      if (this.detailed && label[e]) labels.push(e);
    }
    context.globalAlpha = 1;
    context.setLineDash([]);
    this.base();
    for (const e of labels) {
      context.lineWidth = 3;
      context.strokeStyle = this.styles().bg;
      context.font = '10px Helvetica,Arial,sans-serif';
      context.textAlign = 'center';
      context.strokeText(label[e], label_x[e], label_y[e] + 3.5);
      this.text(label[e], label_x[e], label_y[e] + 3.5, 10, this.styles().fg);
    }
  }

  // the arrow's head at the end of a route, along its last two points
  head(shape, colour) {
    const numbers = shape.match(/-?[\d.]+/g).slice(-4).map(Number), [ax, ay, bx, by] = numbers;
    const { context } = this, angle = Math.atan2(by - ay, bx - ax);
    const point = (along, across) => [bx + along * Math.cos(angle) - across * Math.sin(angle),
      by + along * Math.sin(angle) + across * Math.cos(angle)];
    context.fillStyle = colour;
    context.beginPath();
    context.moveTo(...point(0.5, 0));
    context.lineTo(...point(-7.5, 3));
    context.lineTo(...point(-7.5, -3));
    context.fill();
  }

  nodeFill(i) {
    const style = this.styles(), kind = this.scene.kind(i);
    if (this.colours?.[i]) return this.colours[i];
    const order = this.scene.n.adjoint[i];
    if (!order) return [style[kind], style.fg];
    const name = order > 1 ? 'second' : 'adjoint';
    return [style[kind === 'operation' ? name + '-op' : name], style.fg];
  }

  drawNodes({ left, right, k }) {
    const { context, scene } = this, style = this.styles(), { x, y, w, h, name, op, adjoint } = scene.n;
    const { lit, selected } = state;
    for (const i of this.among(this.nodeColumns, left, right)) {
      const [fill, ink] = this.nodeFill(i), chosen = i === selected;
      context.globalAlpha = lit && !lit.nodes[i] && !chosen ? 0.22 : 1;
      context.fillStyle = fill;
      const bad = isBad(scene, i);
      context.strokeStyle = bad ? style.bad : chosen ? style.accent : lit?.nodes[i] ? style.lit
        : adjoint[i] > 1 ? style.again : adjoint[i] ? style.back : style.stroke;
      context.lineWidth = chosen ? Math.max(3.2, 3 * this.ratio / k) : lit?.nodes[i] ? 2 : 1;
      if (!this.detailed && !chosen) {
        context.fillRect(x[i] - w[i] / 2, y[i] - h[i] / 2, w[i], h[i]);
        if (k / this.ratio > 0.06) context.strokeRect(x[i] - w[i] / 2, y[i] - h[i] / 2, w[i], h[i]);
        continue;
      }
      context.beginPath();
      context.roundRect(x[i] - w[i] / 2, y[i] - h[i] / 2, w[i], h[i], name[i] ? 5 : 9);
      if (scene.n.kind[i] !== ELLIPSIS) context.fill();
      context.stroke();
      if (!this.detailed) continue;
      const second = name[i] ? secondLine(scene, i) : '';
      if (!name[i]) this.text(op[i], x[i], y[i] + 4, 11, ink);
      else this.text(name[i], x[i], y[i] + (second ? -2 : 4), 12, ink);
      if (second) this.text(second, x[i], y[i] + 11, 10, ink === style.fg ? style.soft : ink);
    }
    context.globalAlpha = 1;
  }

  printing(on) {
    if (on) this.before = [state.x, state.y, state.k];
    Object.assign(state, on ? (([x, y, k]) => ({ x, y, k }))(framingAll())
      : { x: this.before[0], y: this.before[1], k: this.before[2] });
    this.keptAt = null;
    this.show();
  }
  done() { this.scheme.removeEventListener('change', this.onScheme); }
}
