// What the panel beside the drawing says of the selected node.
const panel = element('panel');
const count = (n, one, many = one + 's') => n.toLocaleString('en') + ' ' + (n === 1 ? one : many);
const say = (text) => { element('said').textContent = text; };

/// The variable that a node is, or is a step on the way to: "h" of "grad:h", "h/tanh/0".
const variableOf = (role) => role.replace(/^(grad:|nll:|cotangent:)+/, '').split('/')[0];

/// The equation that holds for a node: of its variable, the first whose fixed places are its own.
function equationOf(scene, node) {
  const variable = variableOf(scene.n.role[node] || scene.n.name[node]).split('[')[0];
  const own = page.equations.filter((e) => e.of === variable);
  const position = scene.clusters[scene.n.cluster[node]]?.position ?? [];
  return own.find((e) => e.places.length === position.length &&
    e.places.every((p, axis) => p === null || p === position[axis])) ?? own.at(-1);
}

/// Which characters of the equation an operation stands for, or null: of as many nodes as the text
/// has such operations, the one in the same place.
function partOf(scene, node, equation) {
  const [owner, op, ordinal] = scene.n.role[node].split('/');
  if (ordinal === undefined || scene.n.adjoint[node]) return null;
  const parts = equation.parts.filter((p) => p[0] === op);
  let drawn = 0;
  while (scene.bySlot.has(scene.n.cluster[node] + '/' + owner + '/' + op + '/' + drawn)) ++drawn;
  return drawn === parts.length ? parts[ordinal] : null;
}

/// Where a name is mentioned in a text, but as its left side.
function mentions(text, name) {
  const left = text.search(/[=~]/), found = [];
  const word = new RegExp('(?<![\\w.])' + name.replace(/[^\w]/g, '\\$&') + '(?![\\w.(])', 'g');
  for (const match of text.matchAll(word))
    if (match.index > left) found.push([match.index, match.index + name.length]);
  return found;
}

/// An equation with parts of it marked.
function written(equation, parts) {
  const code = make('code', { class: 'equation' });
  let at = 0;
  for (const [first, last] of parts) {
    code.append(equation.text.slice(at, first), make('mark', {}, equation.text.slice(first, last)));
    at = last;
  }
  code.append(equation.text.slice(at));
  const all = [code];
  if (equation.line) all.push(make('p', { class: 'soft source' }, equation.file + ':' + equation.line));
  return all;
}

function equations(scene, node) {
  const equation = equationOf(scene, node), kind = scene.kind(node);
  if (kind === 'weight' || kind === 'copy' || kind === 'input') {
    const name = variableOf(scene.n.role[node]).split('[')[0];
    const readers = page.equations.map((e) => [e, mentions(e.text, name)]).filter(([, m]) => m.length);
    if (!readers.length) return [];
    return [make('h3', {}, 'Mentioned in'), ...readers.flatMap(([e, m]) => written(e, m))];
  }
  if (!equation) return [];
  const part = partOf(scene, node, equation);
  const left = equation.text.search(/\s*[=~]/);
  const whole = scene.n.name[node] && !scene.n.adjoint[node] && left > 0 ? [[0, left]] : [];
  return [make('h3', {}, 'Equation'), ...written(equation, part ? [part.slice(1)] : whole)];
}

/// A node that can be gone to.
const link = (node) => make('button', { type: 'button', 'data-to': node,
  onclick: () => select(node, true) }, state.scene.caption(node));

function neighbours(title, scene, edges, ends) {
  if (!edges.length) return [];
  const shown = [...edges].slice(0, 100);
  const items = shown.map((e) => make('li', {}, link(ends[e]), make('span', { class: 'soft' },
    scene.e.label[e] + (scene.e.delayed[e] && !scene.e.label[e] ? 'earlier' : '')), ...aboutEdge(scene, e)));
  const more = edges.length - shown.length;
  if (more > 0) items.push(make('li', { class: 'soft' }, 'and ' + more.toLocaleString('en') + ' more'));
  return [make('h3', {}, title), make('ul', {}, ...items)];
}

function pathsText({ nodes, count: paths }, node) {
  if (!nodes[node]) return 'No path leads to the loss.';
  if (Number.isNaN(paths)) return 'Paths to the loss, through time.';
  return (paths < 1e6 ? count(paths, 'path') : paths.toPrecision(3) + ' paths') + ' to the loss.';
}

function describeNode(scene, node) {
  const { n } = scene, about = [make('h2', {}, n.name[node] || n.op[node] || 'node')];
  const cluster = scene.clusters[n.cluster[node]];
  about.push(make('p', { class: 'soft' }, scene.kind(node) +
    (['', ' of the gradient'][n.adjoint[node]] ?? ' of a gradient of the gradient') + (cluster ? ', step ' + cluster.label : '')));
  about.push(make('p', { class: 'title' },
    n.title[node] || [n.op[node], n.shape[node]].filter(Boolean).join(' ')));
  if (state.lit) about.push(make('p', { class: 'paths' }, pathsText(state.lit, node)));
  about.push(...equations(scene, node), ...aboutValues(scene, node));
  about.push(...neighbours('Reads', scene, scene.into(node), scene.e.from));
  about.push(...neighbours('Read by', scene, scene.from(node), scene.e.to));
  return about;
}

function describePage(scene) {
  const about = [make('h2', {}, scene.step ? 'Step ' + scene.step : page.title || scene.label)];
  if (!scene.step && page.about) about.push(make('p', {}, page.about));
  about.push(make('p', { class: 'soft' }, count(scene.count, 'node') + ', ' + count(scene.edgeCount, 'edge')));
  if (scene.about && scene.about !== page.about) about.push(make('p', { class: 'soft' }, scene.about));
  about.push(...aboutNotFinite(scene));
  const shown = page.equations.slice(0, 60);
  if (shown.length) about.push(make('h3', {}, 'Equations'), ...shown.flatMap((e) => written(e, [])));
  return about;
}

function refreshPanel() {
  showFlow();
  const { scene, selected } = state;
  panel.replaceChildren(...(selected >= 0 ? describeNode(scene, selected) : describePage(scene)));
  panel.scrollTop = 0;
}
