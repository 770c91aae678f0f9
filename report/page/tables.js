// tables.js - elements, numbers and tables that sort.
//
// Names come from strangers: text goes in by text nodes only, never as markup.

var SVG = 'http://www.w3.org/2000/svg';

function add(node, children) {
  children.forEach(function (child) {
    if (child === null || child === undefined)
      return;
    node.appendChild(typeof child === 'object' ? child : document.createTextNode(String(child)));
  });
  return node;
}

function el(tag, attributes) {
  var node = document.createElement(tag);
  Object.keys(attributes || {}).forEach(function (key) {
    if (attributes[key] !== null && attributes[key] !== undefined)
      node.setAttribute(key, attributes[key]);
  });
  return add(node, Array.prototype.slice.call(arguments, 2));
}

function svg(tag, attributes) {
  var node = document.createElementNS(SVG, tag);
  Object.keys(attributes).forEach(function (key) { node.setAttribute(key, attributes[key]); });
  return add(node, Array.prototype.slice.call(arguments, 2));
}

// ---- numbers ----------------------------------------------------------------------

function fixed(value, digits) {
  if (value === null || value === undefined)
    return '–';
  var text = Math.abs(value).toFixed(digits);
  return (value < 0 && /[1-9]/.test(text) ? '−' : '') + text;
}

function percent(value, digits) {
  if (value === null || value === undefined)
    return '–';
  return (value > 0 ? '+' : '') + fixed(value, digits === undefined ? 1 : digits) + '\u00a0%';
}

function whole(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

function chance(p) {
  return p < 0.001 ? '< 0.001' : p.toFixed(3);
}

function many(n, one, more) {
  return whole(n) + ' ' + (n === 1 ? one : more);
}

// "a", "a and b", "a, b and c".
function listing(names) {
  return names.length < 2 ? names.join('') : names.slice(0, -1).join(', ') + ' and ' + names[names.length - 1];
}

// ---- controls ---------------------------------------------------------------------

function segments(label, names, chosen, change) {
  var group = el('div', { class: 'seg', role: 'group', 'aria-label': label });
  names.forEach(function (name, i) {
    var button = el('button', { type: 'button', 'aria-pressed': String(i === chosen) }, name);
    button.addEventListener('click', function () {
      Array.prototype.forEach.call(group.children, function (other) {
        other.setAttribute('aria-pressed', String(other === button));
      });
      change(i);
    });
    group.appendChild(button);
  });
  return names.length > 1 ? group : null;
}

function choice(label, names, chosen, change) {
  var select = el('select', {});
  names.forEach(function (name, i) {
    var option = el('option', { value: i }, name);
    option.selected = i === chosen;
    select.appendChild(option);
  });
  select.addEventListener('change', function () { change(Number(select.value)); });
  return { node: names.length > 1 ? el('label', {}, label, select) : null, select: select };
}

// ---- tables -----------------------------------------------------------------------

// One for all comparisons: making it takes longer than a hundred of them.
var words = new Intl.Collator(undefined, { numeric: true });

// Smaller first, nothing last, text by its own rules; `down` turns all but nothing round.
function compare(a, b, down) {
  var none = function (x) { return x === null || x === undefined || x === ''; };
  if (none(a) || none(b))
    return none(a) - none(b);
  var order = typeof a === 'number' && typeof b === 'number'
    ? a - b : words.compare(String(a), String(b));
  return down ? -order : order;
}

// columns: { title, key(row), cell(row), num, head, down, hint }; key absent: does not sort.
// down: the first click sorts falling.  options: sort (column), down, page (rows at once).
function table(caption, columns, rows, options) {
  var sorted = options.sort, down = options.down, shown = options.page || 50;
  var heads = [], body = el('tbody', {}), foot = el('div', { class: 'tablefoot' });
  var head = el('tr', {});

  function cell(column, row) {
    var made = column.cell(row);
    return el(column.head ? 'th' : 'td',
      { class: (column.num ? 'num ' : '') + (column.long ? 'long' : ''), scope: column.head ? 'row' : null }, made);
  }
  function draw() {
    var key = sorted === undefined ? function () { return 0; } : columns[sorted].key;
    var order = rows.map(function (row, i) { return { row: row, i: i, key: key(row) }; });
    order.sort(function (a, b) { return compare(a.key, b.key, down) || a.i - b.i; });
    body.textContent = '';
    order.slice(0, shown).forEach(function (each) {
      body.appendChild(add(el('tr', {}), columns.map(function (c) { return cell(c, each.row); })));
    });
    heads.forEach(function (th, i) {
      if (i === sorted)
        th.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      else
        th.removeAttribute('aria-sort');
    });
    foot.textContent = '';
    foot.hidden = rows.length <= shown;
    if (rows.length > shown) {
      var more = el('button', { type: 'button', class: 'more' }, 'Show more');
      more.addEventListener('click', function () { shown += 200; draw(); });
      add(foot, [whole(shown) + ' of ' + whole(rows.length) + ' rows', more]);
    }
  }
  columns.forEach(function (column, i) {
    var inner = column.key ? el('button', { type: 'button', title: column.hint }, column.title)
      : el('span', { class: 'plain', title: column.hint }, column.title);
    var th = el('th', { scope: 'col', class: column.num ? 'num' : '' }, inner);
    if (column.key)
      inner.addEventListener('click', function () {
        down = sorted === i ? !down : Boolean(column.down);
        sorted = i;
        draw();
      });
    heads.push(th);
    head.appendChild(th);
  });
  draw();
  return el('div', { class: 'card' },
    el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
      el('table', {}, el('caption', { class: 'hidden' }, caption), el('thead', {}, head), body)), foot);
}

// A mean and its interval on the scale of its column; from a table of { mean, low, high }.
function forest(cell, scale, colour, zero) {
  var W = 240, H = 28;
  var at = function (v) { return 6 + (W - 12) * (v - scale[0]) / (scale[1] - scale[0] || 1); };
  var drawing = svg('svg', { class: 'forest', viewBox: '0 0 ' + W + ' ' + H, 'aria-hidden': 'true' });
  [0, 0.25, 0.5, 0.75, 1].forEach(function (t) {
    var x = 6 + (W - 12) * t;
    drawing.appendChild(svg('line', { class: 'axis', x1: x, x2: x, y1: 0, y2: H }));
  });
  if (zero)
    drawing.appendChild(svg('line', { class: 'zero', x1: at(0), x2: at(0), y1: 0, y2: H }));
  if (cell.low !== null)
    drawing.appendChild(svg('line', { class: 'range', x1: at(cell.low), x2: at(cell.high), y1: H / 2, y2: H / 2, stroke: colour }));
  drawing.appendChild(svg('circle', { cx: at(cell.mean), cy: H / 2, r: 5, fill: colour }));
  return drawing;
}

function span(cells, zero) {
  var low = zero ? 0 : Infinity, high = zero ? 0 : -Infinity;
  cells.forEach(function (c) {
    if (c && c.mean !== null) {
      low = Math.min(low, c.low === null ? c.mean : c.low);
      high = Math.max(high, c.high === null ? c.mean : c.high);
    }
  });
  return [low, high];
}
