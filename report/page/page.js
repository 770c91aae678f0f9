// page.js - the report: what was compared, the answer, plots, worst frames, everything.

var data = JSON.parse(document.getElementById('data').textContent);
var codec = data.kind === 'codec';
var main = document.getElementById('main');
var primary = data.metrics[data.primary];

function entryName(i) {
  var e = data.entries[i];
  return data.methods[e.method] + (e.quality === null ? '' : ' ' + e.quality) + (e.take > 1 ? ' (' + e.take + ')' : '');
}

function clipName(i) {
  var clip = data.clips[i], subset = data.subsets[clip.subset];
  return clip.name + (data.subsets.length > 1 && subset ? ' (' + subset + ')' : '');
}

function arrow(metric) {
  return metric.text + (metric.lower ? ' ↓' : ' ↑');
}

function direction(metric) {
  return metric.lower ? 'lower is better' : 'higher is better';
}

function unit(metric) {
  return metric.name === 'psnr' ? '\u00a0dB' : '';
}

function levelName() {
  return 100 * data.statistics.level + '\u00a0% interval';
}

function few() {
  return data.statistics.few_clips ? ' ' + data.statistics.few_clips : '';
}

function limits(cell, digits, after) {
  return cell.low === null ? '' : fixed(cell.low, digits) + ' to ' + fixed(cell.high, digits) + (after || '');
}

function meanCell(cell, digits, after) {
  if (!cell || cell.mean === null)
    return '–';
  var value = el('span', { class: cell.best ? 'best' : '' }, fixed(cell.mean, digits) + (after || ''));
  return cell.low === null ? value : el('span', {}, value, el('span', { class: 'ci' }, limits(cell, digits)));
}

function swatch(i) {
  var dot = el('span', { class: 'swatch', 'aria-hidden': 'true' });
  dot.style.background = 'var(--c' + i % 8 + ')';
  return dot;
}

function methodCell(method, name) {
  return el('span', {}, swatch(method), name);
}

function section(id, title, about, controls) {
  var body = el('section', { id: id, 'aria-labelledby': id + '-h' },
    el('div', { class: 'head' },
      el('div', {}, el('h2', { id: id + '-h' }, title), about ? el('p', {}, about) : null),
      add(el('div', { class: 'controls' }), controls || [])));
  main.appendChild(body);
  return body;
}

// ---- who is better --------------------------------------------------------------------

// Of an entry: those that the test does not tell it apart from.
function alike(metric, entry) {
  return data.pairs.filter(function (p) {
    return p.metric === metric && (p.a === entry || p.b === entry) && !(p.test.p_holm < 0.05);
  }).map(function (p) { return p.a === entry ? p.b : p.a; });
}

function ranked(metric, group) {
  return group.rows.filter(function (r) { return r.values[metric].mean !== null; })
    .sort(function (a, b) {
      var d = a.values[metric].mean - b.values[metric].mean;
      return data.metrics[metric].lower ? d : -d;
    });
}

function answerOfMethods(lead) {
  var rows = ranked(data.primary, data.groups[0]), cell, others;
  if (!rows.length)
    return add(lead, ['Nothing has been scored yet.']);
  cell = rows[0].values[data.primary];
  add(lead, [el('strong', {}, entryName(rows[0].entry)),
    (rows.length > 1 ? ' has the ' + (primary.lower ? 'lowest ' : 'highest ') : ': mean ') + primary.text +
      (rows.length > 1 ? ': ' : ' ') + fixed(cell.mean, primary.digits) +
      (cell.low === null ? '' : ' (' + levelName() + ' ' + limits(cell, primary.digits) + ')') +
      ' over ' + many(cell.n, 'clip', 'clips') + '.']);
  if (rows.length < 2)
    return lead;
  others = alike(data.primary, rows[0].entry);
  if (!others.length)
    return add(lead, [' It is better than ' + (rows.length > 2 ? 'each of the others' : entryName(rows[1].entry)) +
      ' (paired test over clips, p < 0.05' + (rows.length > 2 ? ' after correction' : '') + ').']);
  return add(lead, [' These clips do not tell it apart from ' + listing(others.slice(0, 4).map(entryName)) +
    (others.length > 4 ? ' and others' : '') + '.']);
}

function answerOfCodecs(lead) {
  var found = data.bd_rate.filter(function (d) { return d.metric === data.primary && d.scale === '-value'; });
  var best = found.filter(function (d) { return d.mean.mean !== null; })
    .sort(function (a, b) { return a.mean.mean - b.mean.mean; })[0];
  if (!best)
    return add(lead, [data.methods.length > 1 ? 'No BD-rate could be computed; the table says why.'
      : 'One codec, so there is nothing to compare it with.']);
  var less = best.mean.mean < 0;
  return add(lead, ['At equal ' + primary.text + ', ', el('strong', {}, data.methods[best.method]),
    ' needs ' + fixed(Math.abs(best.mean.mean), 1) + '\u00a0% ' + (less ? 'less' : 'more') + ' rate than ',
    el('strong', {}, data.methods[data.anchor]),
    (best.mean.low === null ? '' : ' (' + levelName() + ' of the difference ' + percent(best.mean.low) + ' to ' + percent(best.mean.high) + ')') +
      ', over ' + many(best.mean.n, 'clip', 'clips') + (best.mean.n < data.clips.length ? ' of ' + whole(data.clips.length) : '') + '.' +
      (less && found.length > 1 ? ' No other of the ' + whole(data.methods.length) + ' codecs needs less.' : '')]);
}

function top() {
  var title = data.about.title || 'LPIPS report', facts = document.getElementById('facts');
  var proof = document.getElementById('proof'), missing = data.all_items - data.done;
  function fact(n, what, bad) {
    facts.appendChild(el('div', { class: bad ? 'bad' : '' }, el('dt', {}, bad ? el('a', { href: '#missing' }, what) : what), el('dd', {}, whole(n))));
  }
  function source(label, value) {
    if (value)
      proof.appendChild(el('span', {}, label + ' ', el('b', {}, value)));
  }
  document.title = title;
  document.getElementById('title').textContent = title;
  document.getElementById('eyebrow').textContent = 'LPIPS report · ' + (codec ? 'codecs' : 'frame interpolation');
  (codec ? answerOfCodecs : answerOfMethods)(document.getElementById('answer'));
  fact(data.methods.length, codec ? (data.methods.length === 1 ? 'codec' : 'codecs') : data.methods.length === 1 ? 'method' : 'methods');
  fact(data.clips.length, data.clips.length === 1 ? 'clip' : 'clips');
  fact(data.done, codec ? 'encodes scored' : 'outputs scored');
  fact(data.frames, data.frames === 1 ? 'frame' : 'frames');
  if (missing)
    fact(missing, 'not scored', true);
  Object.keys(data.about).filter(function (key) { return key.indexOf('lpips.') === 0; }).forEach(function (key) {
    source('Net', data.about[key].replace(/([0-9a-f]{12})[0-9a-f]{20,}/, '$1…'));
  });
  source('Colours', data.about.colour_rule);
  source('Tool', data.about.tool);
}

// ---- results --------------------------------------------------------------------------

function ranking() {
  var metric = data.primary, group = 0, holder = el('div', {});
  var names = data.groups.map(function (g) { return g.subset === null ? 'All clips' : g.subset || '(no subset)'; });
  var body = section('result', 'Result',
    'Mean over the clips that every method has, with its ' + levelName() + '. The bars are the intervals of the chosen measure.' + few(),
    [segments('Clips', names, 0, function (i) { group = i; draw(); }),
      choice('Measure', data.metrics.map(arrow), metric, function (i) { metric = i; draw(); }).node]);

  function draw() {
    var g = data.groups[group], m = data.metrics[metric];
    var scale = span(g.rows.map(function (r) { return r.values[metric]; }), false);
    var order = ranked(metric, g).map(function (r) { return r.entry; });
    var columns = [
      { title: '#', num: true, key: function (r) { var i = order.indexOf(r.entry); return i < 0 ? null : i + 1; },
        cell: function (r) { var i = order.indexOf(r.entry); return i < 0 ? '–' : i + 1; } },
      { title: 'Method', head: true, key: function (r) { return entryName(r.entry); },
        cell: function (r) { return methodCell(r.entry, entryName(r.entry)); } }];
    function values(i) {
      var each = data.metrics[i];
      columns.push({ title: arrow(each), num: true, hint: each.text + ', ' + direction(each), down: !each.lower,
        key: function (r) { return r.values[i].mean; },
        cell: function (r) { return meanCell(r.values[i], each.digits, unit(each)); } });
    }
    values(metric);
    columns.push({ title: fixed(scale[0], m.digits) + ' to ' + fixed(scale[1], m.digits), hint: 'Mean and interval between these two', cell: function (r) {
      return r.values[metric].mean === null ? '' : forest(r.values[metric], scale, 'var(--c' + r.entry % 8 + ')'); } });
    data.metrics.forEach(function (_, i) {
      if (i !== metric)
        values(i);
    });
    if (!group && data.pairs.length)
      columns.push({ title: 'Not told apart from', long: true, hint: 'Paired test over clips: p of 0.05 or more after correction',
        cell: function (r) { return el('span', { class: 'small' }, listing(alike(metric, r.entry).map(entryName)) || '–'); } });
    holder.textContent = '';
    if (g.common[metric] < g.clips && g.rows.length > 1)
      holder.appendChild(el('p', { class: 'note' }, (g.common[metric] ? 'These means are over ' + many(g.common[metric], 'clip', 'clips') +
        ' of ' + whole(g.clips) + ': the rest lack a value for some method' : 'No clip has a value for every method') +
        (m.name === 'psnr' ? ' (equal pictures have no PSNR).' : '.')));
    holder.appendChild(table('Methods by ' + m.text, columns, g.rows.slice(), { sort: 0 }));
  }
  draw();
  body.appendChild(holder);
}

function scaleName(d) {
  var m = data.metrics[d.metric];
  return (d.scale === 'value' ? '' : d.scale === '-value' ? '−' : '−log ') + m.text;
}

// The kinds of BD-rate there are, in order.
function kinds() {
  var seen = [];
  data.bd_rate.forEach(function (d) {
    if (!seen.some(function (k) { return k.metric === d.metric && k.scale === d.scale; }))
      seen.push({ metric: d.metric, scale: d.scale });
  });
  return seen;
}

function deltaOf(method, kind) {
  return data.bd_rate.filter(function (d) { return d.method === method && d.metric === kind.metric && d.scale === kind.scale; })[0];
}

function bdRates() {
  var all = kinds(), kind = 0, holder = el('div', {});
  var methods = data.methods.map(function (_, i) { return i; }).filter(function (i) { return i !== data.anchor; });
  all.forEach(function (k, i) { if (k.metric === data.primary && k.scale === '-value') kind = i; });
  var body = section('result', 'BD-rate against ' + data.methods[data.anchor],
    'Difference in rate at equal quality, mean over clips with its ' + levelName() + '. Negative: less rate than the anchor.' + few(),
    [choice('Bars show', all.map(scaleName), kind, function (i) { kind = i; draw(); }).node]);

  function draw() {
    var scale = span(methods.map(function (i) { return deltaOf(i, all[kind]).mean; }), true);
    var columns = [
      { title: 'Codec', head: true, key: function (i) { return data.methods[i]; }, cell: function (i) { return methodCell(i, data.methods[i]); } }];
    function rates(k) {
      columns.push({ title: scaleName(k), num: true, key: function (i) { return deltaOf(i, k).mean.mean; },
        cell: function (i) {
          var d = deltaOf(i, k), n = data.clips.length;
          return el('span', {}, el('span', {}, percent(d.mean.mean)),
            el('span', { class: 'ci' }, limits(d.mean, 1)), d.mean.n < n ? el('span', { class: 'ci' }, d.mean.n + ' of ' + many(n, 'clip', 'clips')) : null);
        } });
    }
    rates(all[kind]);
    columns.push({ title: percent(scale[0], 0) + ' to ' + percent(scale[1], 0), hint: 'Mean and interval; dashed: the anchor', cell: function (i) {
      var d = deltaOf(i, all[kind]);
      return d.mean.mean === null ? '' : forest(d.mean, scale, 'var(--c' + i % 8 + ')', true); } });
    all.forEach(function (k, i) {
      if (i !== kind)
        rates(k);
    });
    holder.textContent = '';
    holder.appendChild(table('BD-rate against ' + data.methods[data.anchor], columns, methods.slice(),
      { sort: 1 }));
  }
  draw();
  body.appendChild(holder);
}

// ---- plots ----------------------------------------------------------------------------

function valueAxis(metric) {
  return axis(metric.text + unit(metric) + ' (' + direction(metric) + ')', { ticks: { callback: function (v) { return String(Number(v.toPrecision(6))); } } });
}

function valueText(metric, value) {
  return fixed(value, metric.digits) + unit(metric);
}

// Mean of every entry on every clip: of[metric][entry][clip].
function byClip(metric) {
  var of = data.entries.map(function () { return []; });
  data.items.forEach(function (item) {
    var v = item.state === 'done' ? item.values[metric] : null;
    if (v && v.mean !== null)
      of[item.entry][item.clip] = v.mean;
  });
  return of;
}

// Clips in rising order of their mean over lines; lines: arrays by clip.
function clipOrder(lines) {
  var sum = data.clips.map(function (_, c) {
    var n = 0, total = 0;
    lines.forEach(function (line) { if (line[c] !== undefined) { total += line[c]; n++; } });
    return { clip: c, mean: n ? total / n : null };
  }).filter(function (each) { return each.mean !== null; });
  return sum.sort(function (a, b) { return a.mean - b.mean || a.clip - b.clip; }).map(function (each) { return each.clip; });
}

function clipPlot(about, names, looks, controls, values, y, text, pick) {
  return plot('Clip by clip', controls, function () {
    var lines = values(), order = clipOrder(lines), few = order.length <= 12;
    return {
      about: about(),
      lines: lines.map(function (line, i) {
        var points = [];
        order.forEach(function (clip, x) { if (line[clip] !== undefined) points.push({ x: x, y: line[clip], clip: clip }); });
        return { name: names[i], look: looks[i], points: points, line: false };
      }),
      options: {
        column: true, pick: pick,
        x: function () {
          return axis(few ? '' : 'clips, by their mean', { type: 'linear', min: -0.5, max: order.length - 0.5, grid: { display: few, color: css('--grid') },
            afterBuildTicks: function (scale) { scale.ticks = few ? order.map(function (_, i) { return { value: i }; }) : []; },
            ticks: { callback: function (v) { var name = clipName(order[v]); return name.length > 14 ? name.slice(0, 13) + '…' : name; } } });
        },
        y: y, title: function (p) { return clipName(p.clip); },
        label: function (p, line) { return ' ' + line.name + '  ' + text(p.y); }
      }
    };
  });
}

function methodPlots() {
  var metric = data.primary;
  var frames = framePlot();
  var control = choice('Measure', data.metrics.map(arrow), metric, function (i) { metric = i; clips.draw(); });
  var clips = clipPlot(function () {
    return data.metrics[metric].text + ' of each method on each clip, ' + direction(data.metrics[metric]) + (frames ? '; a click chooses the clip below.' : '.');
  },
    data.entries.map(function (_, i) { return entryName(i); }), data.entries.map(function (_, i) { return i; }),
    [control.node], function () { return byClip(metric); },
    function () { return valueAxis(data.metrics[metric]); },
    function (v) { return valueText(data.metrics[metric], v); },
    function (p) { if (frames) frames.choose(p.clip); });
  var body = section('plots', 'Plots', null);
  body.appendChild(clips.node);
  clips.draw();
  if (frames) {
    body.appendChild(frames.node);
    frames.draw();
  }
}

// Rate against a measure: of one clip, or means over all.
function ratePlot() {
  var metric = data.primary, clip = -1;
  var names = ['Means over clips'].concat(data.clips.map(function (_, i) { return clipName(i); }));
  function points(method) {
    var made = [];
    if (clip < 0)
      data.groups[0].rows.forEach(function (r) {
        if (data.entries[r.entry].method === method && r.rate !== null && r.values[metric].mean !== null)
          made.push({ x: r.rate, y: r.values[metric].mean, name: entryName(r.entry) });
      });
    else
      data.items.forEach(function (item) {
        var v = item.state === 'done' && item.clip === clip && data.entries[item.entry].method === method ? item.values[metric] : null;
        if (v && v.mean !== null && item.rate > 0)
          made.push({ x: item.rate, y: v.mean, name: entryName(item.entry) });
      });
    return made.sort(function (a, b) { return a.x - b.x; });
  }
  var shown = plot('Rate and quality',
    [choice('Clip', names, 0, function (i) { clip = i - 1; shown.draw(); }).node,
      choice('Measure', data.metrics.map(arrow), metric, function (i) { metric = i; shown.draw(); }).node],
    function () {
      return {
        lines: data.methods.map(function (name, i) { return { name: name, look: i, points: points(i) }; }),
        about: data.metrics[metric].text + ' against rate, ' + direction(data.metrics[metric]) + '; rate on a logarithmic scale.',
        options: {
          x: function () {
            return axis('kbit/s', { type: 'logarithmic', ticks: { callback: function (v) { return /^[125]/.test(String(v)) ? whole(v) : ''; } } });
          },
          y: function () { return valueAxis(data.metrics[metric]); },
          title: function (p) { return p.name; },
          label: function (p) { return ' ' + valueText(data.metrics[metric], p.y) + ' at ' + fixed(p.x, 1) + ' kbit/s'; }
        }
      };
    });
  return shown;
}

function codecPlots() {
  var all = kinds(), kind = 0, frames = framePlot(), clips = null;
  var body = section('plots', 'Plots', null);
  var rates = ratePlot();
  body.appendChild(rates.node);
  rates.draw();
  all.forEach(function (k, i) { if (k.metric === data.primary && k.scale === '-value') kind = i; });
  if (all.length && data.clips.length > 1) {
    var methods = data.methods.map(function (_, i) { return i; }).filter(function (i) { return i !== data.anchor; });
    clips = clipPlot(function () {
      return 'BD-rate of each clip against ' + data.methods[data.anchor] + '; clips that could not be scored are missing and listed below.';
    },
      methods.map(function (i) { return data.methods[i]; }), methods,
      [choice('By', all.map(scaleName), kind, function (i) { kind = i; clips.draw(); }).node],
      function () {
        return methods.map(function (i) {
          return deltaOf(i, all[kind]).clips.map(function (c) { return c.percent === null ? undefined : c.percent; });
        });
      },
      function () { return axis('BD-rate %', { ticks: { callback: function (v) { return percent(v, 0); } } }); },
      percent, function (p) { if (frames) frames.choose(p.clip); });
    body.appendChild(clips.node);
    clips.draw();
  }
  if (frames) {
    body.appendChild(frames.node);
    frames.draw();
  }
}

function framePlot() {
  var metric = data.primary, method = 0, clip, of = {};
  data.series.forEach(function (s) {
    var item = data.items[s.item];
    (of[item.clip] = of[item.clip] || []).push(s);
  });
  var clips = Object.keys(of).map(Number).sort(function (a, b) { return a - b; });
  if (!clips.length)
    return null;
  clip = clips[0];
  var chooser = choice('Clip', clips.map(clipName), 0, function (i) { clip = clips[i]; shown.draw(); });
  var shown = plot('Frame by frame', [chooser.node,
    codec ? choice('Codec', data.methods, 0, function (i) { method = i; shown.draw(); }).node : null,
    choice('Measure', data.metrics.map(arrow), metric, function (i) { metric = i; shown.draw(); }).node],
  function () {
    var some = of[clip].filter(function (s) {
      return s.metric === metric && (!codec || data.entries[data.items[s.item].entry].method === method);
    }), m = data.metrics[metric];
    return {
      lines: some.map(function (s, i) {
        var entry = data.items[s.item].entry;
        return { name: entryName(entry), look: codec ? i : entry, points: s.x.map(function (x, k) { return { x: x, y: s.y[k] }; }) };
      }),
      about: clipName(clip) + ': ' + m.text + ' of each frame, ' + direction(m) + '.' + (some.length ? '' : ' There are none.'),
      options: {
        column: true,
        x: function () { return axis('frame', { type: 'linear', ticks: { precision: 0 } }); },
        y: function () { return valueAxis(m); },
        title: function (p) { return 'Frame ' + p.x; },
        label: function (p, line) { return ' ' + line.name + '  ' + valueText(m, p.y); }
      }
    };
  });
  shown.choose = function (i) {
    if (clips.indexOf(i) < 0)
      return;
    clip = i;
    chooser.select.value = String(clips.indexOf(i));
    shown.draw();
  };
  return shown;
}

// ---- worst frames ---------------------------------------------------------------------

function worstFrames() {
  if (!data.thumbs || !data.thumbs.length)
    return;
  var body = section('worst', 'Worst frames', 'The output; hover, focus or tap to flip to the reference. Beside it where they differ, on one scale for all.');
  var grid = el('div', { class: 'shots' }), several = data.frames > data.done;
  if (data.bar) {
    var over = el('i', {}), scale = el('span', { class: 'scale' }, '0', el('img', { src: data.bar.image, alt: 'colours of the difference' }),
      String(data.bar.to), over, 'above');
    over.style.background = data.bar.over;
    body.firstChild.lastChild.appendChild(scale);
  }
  data.thumbs.forEach(function (t) {
    var item = data.items[t.item], m = data.metrics[t.metric], name = entryName(item.entry);
    var where = clipName(item.clip) + (several ? ', frame ' + t.frame : '');
    var flip = el('button', { type: 'button', 'aria-pressed': 'false', 'aria-label': 'Flip to the reference: ' + name + ', ' + where },
      el('img', { src: t.output, alt: 'Output of ' + name, width: t.width, height: t.height }),
      el('img', { src: t.reference, alt: 'Reference', width: t.width, height: t.height }),
      el('span', { class: 'tag first' }, 'output'), el('span', { class: 'tag other' }, 'reference'));
    flip.addEventListener('click', function () {
      flip.setAttribute('aria-pressed', String(flip.getAttribute('aria-pressed') !== 'true'));
    });
    grid.appendChild(el('figure', { class: 'card shot' },
      el('div', { class: 'pair' }, flip, t.map ? el('div', {}, el('img', { src: t.map, alt: 'Where they differ', width: t.width, height: t.height }),
        el('span', { class: 'tag' }, 'difference')) : null),
      el('figcaption', {}, el('span', {}, el('b', {}, swatch(codec ? data.entries[item.entry].method : item.entry), name), where),
        el('span', { class: 'value', title: m.text }, fixed(t.value, m.digits)))));
  });
  body.appendChild(grid);
}

// ---- everything -----------------------------------------------------------------------

function pairTable() {
  if (!data.pairs.length)
    return;
  var metric = data.primary, holder = el('div', {});
  var body = section('pairs', 'Methods in pairs', 'Wilcoxon’s signed-rank test over the clips both have, two-sided; p corrected by Holm across the pairs of a measure.',
    [choice('Measure', data.metrics.map(arrow), metric, function (i) { metric = i; draw(); }).node]);
  function draw() {
    var m = data.metrics[metric];
    holder.textContent = '';
    holder.appendChild(table('Pairs by ' + m.text, [
      { title: 'A', head: true, key: function (p) { return entryName(p.a); }, cell: function (p) { return methodCell(p.a, entryName(p.a)); } },
      { title: 'B', key: function (p) { return entryName(p.b); }, cell: function (p) { return methodCell(p.b, entryName(p.b)); } },
      { title: 'A − B', num: true, key: function (p) { return p.difference.mean; }, cell: function (p) { return meanCell(p.difference, m.digits); } },
      { title: 'A better on', num: true, down: true, key: function (p) { return better(p); },
        cell: function (p) { return better(p) + ' of ' + p.difference.n; } },
      { title: 'p', num: true, key: function (p) { return p.test.p; }, cell: function (p) { return chance(p.test.p); } },
      { title: 'p (Holm)', num: true, key: function (p) { return p.test.p_holm; }, cell: function (p) { return chance(p.test.p_holm); } },
      { title: 'Better', key: verdict, cell: verdict }
    ], data.pairs.filter(function (p) { return p.metric === metric; }), { sort: 5 }));
    function better(p) {
      return m.lower ? p.test.differing - p.test.above : p.test.above;
    }
    function verdict(p) {
      return p.test.p_holm < 0.05 ? entryName((p.difference.mean < 0) === m.lower ? p.a : p.b) : 'not told apart';
    }
  }
  draw();
  body.appendChild(holder);
}

function itemTable() {
  var metric = data.primary, needle = '', holder = el('div', {}), several = data.frames > data.done;
  var search = el('input', { type: 'search', placeholder: 'Filter by name', 'aria-label': 'Filter results by name' });
  var body = section('results', 'All results', 'One row for each output' + (several ? '; the tail is the value that 5\u00a0% of its frames are worse than.' : '.'),
    [search, choice('Measure', data.metrics.map(arrow), metric, function (i) { metric = i; draw(); }).node]);
  search.addEventListener('input', function () { needle = search.value.toLowerCase(); draw(); });

  function draw() {
    var m = data.metrics[metric];
    var value = function (item, key) { var v = item.state === 'done' ? item.values[metric] : null; return v ? v[key] : null; };
    var numeric = function (title, key) {
      return { title: title, num: true, down: m.lower, key: function (r) { return value(r, key); }, cell: function (r) { return fixed(value(r, key), m.digits); } };
    };
    var columns = [
      { title: codec ? 'Encode' : 'Method', head: true, key: function (r) { return entryName(r.entry); },
        cell: function (r) { return methodCell(codec ? data.entries[r.entry].method : r.entry, entryName(r.entry)); } },
      { title: 'Clip', long: true, key: function (r) { return clipName(r.clip); }, cell: function (r) { return clipName(r.clip); } }];
    if (codec)
      columns.push({ title: 'kbit/s', num: true, key: function (r) { return r.rate; }, cell: function (r) { return fixed(r.rate, 1); } });
    if (several)
      columns.push({ title: 'Frames', num: true, key: function (r) { return value(r, 'frames'); },
      cell: function (r) { var n = value(r, 'frames'), same = value(r, 'equal'); return n === null ? '–' : n + (same ? ' + ' + same + ' equal' : ''); } });
    columns.push(numeric(several ? 'Mean' : m.text, 'mean'));
    if (several)
      columns.push(numeric('Median', 'median'), numeric('Tail', 'tail'), numeric('Worst', 'worst'), {
        title: 'at frame', num: true, key: function (r) { return value(r, 'worst_frame'); },
        cell: function (r) { var f = value(r, 'worst_frame'); return f === null ? '–' : f; } });
    holder.textContent = '';
    holder.appendChild(table('All results, ' + m.text, columns, data.items.filter(function (item) {
      return !needle || (entryName(item.entry) + ' ' + clipName(item.clip)).toLowerCase().indexOf(needle) >= 0;
    }), { page: 25 }));
  }
  draw();
  body.appendChild(holder);
}

function rateTable() {
  var body = section('rates', 'Means by encode', 'Over the clips that every encode has.');
  body.appendChild(table('Means by encode', [
    { title: 'Encode', head: true, key: function (r) { return entryName(r.entry); },
      cell: function (r) { return methodCell(data.entries[r.entry].method, entryName(r.entry)); } },
    { title: 'kbit/s', num: true, key: function (r) { return r.rate; }, cell: function (r) { return fixed(r.rate, 1); } }
  ].concat(data.metrics.map(function (m, i) {
    return { title: arrow(m), num: true, down: !m.lower, key: function (r) { return r.values[i].mean; },
      cell: function (r) { return meanCell({ mean: r.values[i].mean, low: r.values[i].low, high: r.values[i].high }, m.digits, unit(m)); } };
  })), data.groups[0].rows.slice(), {}));
}

function missing() {
  var bad = data.items.filter(function (item) { return item.state !== 'done'; });
  if (bad.length)
    section('missing', 'Not scored', 'These count nowhere above.').appendChild(table('Not scored', [
      { title: codec ? 'Encode' : 'Method', head: true, key: function (r) { return entryName(r.entry); }, cell: function (r) { return entryName(r.entry); } },
      { title: 'Clip', long: true, key: function (r) { return clipName(r.clip); }, cell: function (r) { return clipName(r.clip); } },
      { title: 'Reason', long: true, key: function (r) { return r.error || ''; },
        cell: function (r) { return r.state === 'to do' ? 'not done yet' : r.error || 'no reason is known'; } }
    ], bad, { page: 25 }));
  var unscored = [];
  data.bd_rate.forEach(function (d) {
    d.clips.forEach(function (c, i) { if (c.percent === null) unscored.push({ d: d, clip: i, why: c.why }); });
  });
  if (unscored.length)
    section('unscored', 'BD-rates not computed', 'Curves that would give a number without meaning.').appendChild(table('BD-rates not computed', [
      { title: 'Codec', head: true, key: function (r) { return data.methods[r.d.method]; }, cell: function (r) { return methodCell(r.d.method, data.methods[r.d.method]); } },
      { title: 'Clip', long: true, key: function (r) { return clipName(r.clip); }, cell: function (r) { return clipName(r.clip); } },
      { title: 'By', key: function (r) { return scaleName(r.d); }, cell: function (r) { return scaleName(r.d); } },
      { title: 'Reason', long: true, key: function (r) { return r.why; }, cell: function (r) { return r.why; } }
    ], unscored, { page: 25 }));
}

function foot() {
  var st = data.statistics, node = document.getElementById('foot');
  function say(text) { node.appendChild(el('p', {}, text)); }
  say('The value of an output is the mean of its frames (PSNR: of those that are not equal). Intervals: ' + st.interval + ', ' + 100 * st.level +
    ' %, ' + whole(st.resamples) + ' resamples. ' + (codec ? 'BD-rate: ' + st.bd_rate + '.' : 'Test: ' + st.test + '.'));
  data.notes.forEach(say);
  Object.keys(data.about).forEach(function (key) {
    if (key.indexOf('lpips.') === 0)
      say('In full: ' + data.about[key]);
  });
  say('Beside this page: summary.csv, items.csv, frames.csv, pairs.csv, bdrate.csv, report.json, tables.md and tables.tex. This page loads nothing. Plots by Chart.js (MIT licence).');
}

// ---- theme ----------------------------------------------------------------------------

function theme() {
  var root = document.documentElement, button = document.getElementById('theme');
  var dark = window.matchMedia('(prefers-color-scheme: dark)');
  function isDark() {
    return (root.getAttribute('data-theme') || (dark.matches ? 'dark' : 'light')) === 'dark';
  }
  function show() {
    button.textContent = isDark() ? 'Light' : 'Dark';
    button.setAttribute('aria-label', 'Switch to the ' + (isDark() ? 'light' : 'dark') + ' theme');
    charts.forEach(function (draw) { draw(); });
  }
  button.addEventListener('click', function () {
    root.setAttribute('data-theme', isDark() ? 'light' : 'dark');
    show();
  });
  dark.addEventListener('change', show);
  show();
}

Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
Chart.defaults.font.size = 12;
top();
if (codec && data.bd_rate.length)
  bdRates();
else if (!codec)
  ranking();
(codec ? codecPlots : methodPlots)();
worstFrames();
pairTable();
if (codec)
  rateTable();
itemTable();
missing();
foot();
theme();
