// charts.js - plots by Chart.js, with a legend of real buttons and the page's own colours.

var SHAPES = ['circle', 'rect', 'triangle', 'rectRot'];
var DASHES = [[], [6, 3], [2, 3], [9, 3, 2, 3]];
var charts = [];

function css(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// Line i of a plot: eight colours; beyond, other shapes and dashes tell lines apart.
function look(i) {
  var turn = Math.floor(i / 8);
  return { colour: css('--c' + i % 8), shape: SHAPES[(i + turn) % 4], dash: DASHES[turn % 4] };
}

// Of each visible line the point that is nearest along x: lines need not share their x.
Chart.Interaction.modes.column = function (chart, event) {
  var found = [], x = event.x, nearest = Infinity;
  chart.getSortedVisibleDatasetMetas().forEach(function (meta) {
    var best = null, distance = Infinity;
    meta.data.forEach(function (element, index) {
      var away = Math.abs(element.x - x);
      if (!element.skip && away < distance) {
        distance = away;
        best = { element: element, datasetIndex: meta.index, index: index };
      }
    });
    if (best) {
      best.distance = distance;
      nearest = Math.min(nearest, distance);
      found.push(best);
    }
  });
  return found.filter(function (each) { return each.distance <= nearest + 12; });
};

var crosshair = {
  id: 'crosshair',
  afterDatasetsDraw: function (chart) {
    var active = chart.tooltip && chart.tooltip.getActiveElements();
    if (!active || !active.length || !chart.options.crosshair)
      return;
    var x = active[0].element.x, area = chart.chartArea, draw = chart.ctx;
    draw.save();
    draw.strokeStyle = css('--soft');
    draw.setLineDash([3, 3]);
    draw.beginPath();
    draw.moveTo(x, area.top);
    draw.lineTo(x, area.bottom);
    draw.stroke();
    draw.restore();
  }
};

function axis(title, extra) {
  var base = {
    title: { display: Boolean(title), text: title, color: css('--soft') },
    ticks: { color: css('--soft'), maxRotation: 0, autoSkipPadding: 16 },
    grid: { color: css('--grid'), borderColor: css('--line'), tickColor: css('--line') }
  };
  Object.keys(extra || {}).forEach(function (key) {
    base[key] = typeof extra[key] === 'object' && base[key] ? Object.assign(base[key], extra[key]) : extra[key];
  });
  return base;
}

// lines: { name, look (index), points: [{ x, y, ... }], line (false: points only) }.
// options: x, y (axes), title(points), label(point, line), column (all lines at one x), pick.
function config(lines, options) {
  return {
    type: 'line',
    data: {
      datasets: lines.map(function (line) {
        var l = look(line.look), lone = line.line === false;
        return {
          label: line.name, data: line.points, hidden: Boolean(line.hidden), showLine: !lone,
          borderColor: l.colour, backgroundColor: l.colour, pointBackgroundColor: l.colour,
          pointStyle: l.shape, borderDash: l.dash, borderWidth: lone ? 1.5 : 2,
          pointRadius: lone ? 4 : line.points.length > 60 ? 0 : 3.5, pointHoverRadius: 6, pointHitRadius: 8,
          clip: 8, spanGaps: true
        };
      })
    },
    options: {
      parsing: false, normalized: true, animation: false, responsive: true, maintainAspectRatio: false,
      crosshair: Boolean(options.column),
      layout: { padding: { top: 6, right: 10 } },
      interaction: options.column ? { mode: 'column', intersect: false } : { mode: 'nearest', intersect: false },
      onClick: function (event, active) {
        if (active.length && options.pick)
          options.pick(lines[active[0].datasetIndex].points[active[0].index]);
      },
      scales: { x: options.x(), y: options.y() },
      plugins: {
        legend: { display: false },
        tooltip: {
          backgroundColor: css('--ink'), titleColor: css('--ground'), bodyColor: css('--ground'),
          usePointStyle: true, padding: 10, boxPadding: 5, caretSize: 0, cornerRadius: 6,
          itemSort: function (a, b) { return b.parsed.y - a.parsed.y; },
          callbacks: {
            title: function (items) { return items.length ? options.title(items[0].raw) : ''; },
            label: function (item) { return options.label(item.raw, lines[item.datasetIndex]); }
          }
        }
      }
    },
    plugins: [crosshair]
  };
}

// The line and point of a legend's button.
function mark(l) {
  var paths = {
    circle: 'M8.4 6a3.6 3.6 0 1 0 7.2 0a3.6 3.6 0 1 0 -7.2 0z', rect: 'M8.8 2.8h6.4v6.4h-6.4z',
    triangle: 'M12 1.6l4.2 7.4h-8.4z', rectRot: 'M12 1.6l4.4 4.4l-4.4 4.4l-4.4 -4.4z'
  };
  return svg('svg', { viewBox: '0 0 24 12', 'aria-hidden': 'true' },
    svg('line', { x1: 0, x2: 24, y1: 6, y2: 6, stroke: l.colour, 'stroke-width': 2, 'stroke-dasharray': l.dash.join(' ') }),
    svg('path', { d: paths[l.shape], fill: l.colour }));
}

// A place for a plot: shows what make() returns, { lines, options, about }, and does so again on
// draw().
function plot(heading, controls, make) {
  var canvas = el('canvas', { role: 'img' }), legend = el('div', { class: 'legend', role: 'group', 'aria-label': 'Lines shown' });
  var said = el('p', {}), hidden = {}, chart = null;
  var figure = el('figure', { class: 'card plot' },
    el('div', { class: 'head' }, el('figcaption', {}, el('h3', {}, heading), said),
      add(el('div', { class: 'controls' }), controls)),
    legend, el('div', { class: 'canvas' }, canvas));

  function draw() {
    var made = make();
    made.lines.forEach(function (line) { line.hidden = hidden[line.name]; });
    if (chart)
      chart.destroy();
    said.textContent = made.about;
    chart = new Chart(canvas, config(made.lines, made.options));
    canvas.setAttribute('aria-label', heading + '. ' + said.textContent + ' Lines: ' +
      listing(made.lines.map(function (l) { return l.name; })) + '. The tables have the numbers.');
    legend.textContent = '';
    made.lines.forEach(function (line, i) {
      var button = el('button', { type: 'button', 'aria-pressed': String(!line.hidden), title: line.name },
        mark(look(line.look)), el('span', {}, line.name));
      button.addEventListener('click', function () {
        hidden[line.name] = !hidden[line.name];
        button.setAttribute('aria-pressed', String(!hidden[line.name]));
        chart.setDatasetVisibility(i, !hidden[line.name]);
        chart.update();
      });
      legend.appendChild(button);
    });
    figure.chart = chart;
  }
  charts.push(draw);
  return { node: figure, draw: draw };
}
