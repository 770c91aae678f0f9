/* stage.js - pictures on the screen: pixel for pixel, and for as long as was asked.
 *
 * A picture's pixel is drawn as a square of whole pixels of the screen.  devicePixelRatio
 * counts the screen's pixels in one of CSS, zoom included, and need not be whole: so sizes
 * and places are reckoned in the screen's pixels and divided by it at the end. */

const stage = document.getElementById('stage');
const GAP = 24;    // between pictures, in pixels of CSS
const LABEL = 28;  // below them
const WANTED = 288; // wide at most, where enlarged

let size = study.size; // of the trial's pictures, all of one

/* How often `n` pixels go into `room` of the screen. */
function times(room, n) {
  return Math.floor(room / n);
}

function wantedScale(ratio) {
  return study.scale || Math.max(1, times(WANTED * ratio, Math.max(...size)));
}

/* The largest scale that fits a box of w x h pixels of CSS, and the arrangement: `row`, or for
   narrow windows `stack` with the reference above; null where not even 1 fits. */
function fit(w, h) {
  const ratio = window.devicePixelRatio || 1;
  const [pw, ph] = size;
  const gap = Math.ceil(GAP * ratio);
  const label = Math.ceil(LABEL * ratio);
  const [W, H] = [Math.floor(w * ratio), Math.floor(h * ratio)];
  const most = wantedScale(ratio);
  const ways = afc
    ? { row: Math.min(times(W - 2 * gap, 3 * pw), times(H - label - gap / 2, ph)),
        stack: Math.min(times(W - gap, 2 * pw), times(H - 2 * label - gap, 2 * ph)) }
    : { row: Math.min(times(W, pw), times(H - gap / 2, ph)) };
  let best = null;
  for (const [way, scale] of Object.entries(ways)) {
    const taken = Math.min(scale, most);
    if (taken >= (study.scale || 1) && (!best || taken > best.scale)) best = { way, scale: taken };
  }
  return best && { ...best, ratio, gap, label, W, H };
}

/* The corners of the panes in the screen's pixels: first, reference, second; or the one. */
function corners(f) {
  const [w, h] = size.map((n) => n * f.scale);
  const middle = (n) => Math.floor((f.W - n * w - (n - 1) * f.gap) / 2);
  if (!afc) return [[middle(1), Math.floor((f.H - h) / 2)]];
  if (f.way === 'row') {
    const y = Math.max(Math.floor(f.gap / 2), Math.floor((f.H - h - f.label) / 2));
    return [0, 1, 2].map((i) => [middle(3) + i * (w + f.gap), y]);
  }
  const y = Math.floor((f.H - 2 * (h + f.label) - f.gap / 2) / 2 + f.gap / 2);
  const x = middle(2);
  return [[x, y + h + f.label], [middle(1), y], [x + w + f.gap, y + h + f.label]];
}

/* No more height than pictures of the size wanted take, so that question, pictures and buttons
   are seen at a glance on a large screen. */
function limitStage() {
  const ratio = window.devicePixelRatio || 1;
  const [across, down] = size.map((n) => (n * wantedScale(ratio)) / ratio);
  const rows = afc && 3 * across + 2 * GAP > stage.clientWidth ? 2 : 1;
  stage.style.maxHeight = rows * (down + LABEL) + 3 * GAP + 'px';
}

/* Puts panes in their places; what fit() found, or null. */
function place(panes) {
  limitStage();
  const box = stage.getBoundingClientRect();
  const f = fit(box.width, box.height);
  if (!f) return null;
  // The stage itself may begin between two pixels of the screen.
  const off = [box.left, box.top].map((n) => (Math.ceil(n * f.ratio - 1e-3) - n * f.ratio));
  corners(f).forEach((corner, i) => {
    const pane = panes[i];
    if (!pane) return;
    pane.style.left = (corner[0] + off[0]) / f.ratio + 'px';
    pane.style.top = (corner[1] + off[1]) / f.ratio + 'px';
    pane.style.width = (size[0] * f.scale) / f.ratio + 'px';
    pane.style.height = (size[1] * f.scale) / f.ratio + 'px';
  });
  return f;
}

/* ---- pictures, loaded ahead ---------------------------------------------------------- */

const loaded = new Map();

function picture(name) {
  if (!loaded.has(name)) {
    const img = new Image();
    img.src = study.pictures + name + '.png';
    loaded.set(name, img.decode().then(() => img));
    loaded.get(name).catch(() => loaded.delete(name));
  }
  return loaded.get(name);
}

/* All of a trial; of those no longer needed the memory goes. */
function pictures(trial) {
  if (loaded.size > 60) loaded.clear();
  return Promise.all(study.trials[trial].map(picture));
}

/* The same picture may stand in two places. */
function shown(img, alt) {
  const copy = img.cloneNode();
  copy.alt = alt;
  copy.draggable = false;
  return copy;
}

/* ---- one after the other -------------------------------------------------------------- */

/* Shows two panes in turn, each for `study.timing[0]` ms with `study.timing[1]` between, and
   resolves to the real times [first, gap, second] as the frames of the screen had them; null
   where the page was hidden meanwhile. */
function inTurn(panes) {
  const [time, gap] = study.timing;
  const steps = [[panes[0], time], [null, gap], [panes[1], time]];
  return new Promise((resolve) => {
    const starts = [];
    let step = 0;
    let interval = 1000 / 60;
    let before = 0;

    const show = (which) => panes.forEach((p) => p.classList.toggle('off', p !== which));
    const end = (value) => {
      document.removeEventListener('visibilitychange', hidden);
      show(null);
      resolve(value);
    };
    const hidden = () => { step = -1; end(null); };
    function frame(now) {
      if (step < 0) return;
      if (before) interval = Math.min(interval, Math.max(1, now - before));
      before = now;
      // Half a frame early is nearer than half a frame late.
      if (!starts.length || now - starts[starts.length - 1] >= steps[step][1] - interval / 2) {
        if (starts.length) step++;
        starts.push(now);
        if (step === steps.length) {
          const round = (n) => Math.round(n * 10) / 10;
          end([0, 1, 2].map((i) => round(starts[i + 1] - starts[i])));
          return;
        }
        show(steps[step][0]);
      }
      requestAnimationFrame(frame);
    }
    document.addEventListener('visibilitychange', hidden);
    if (document.visibilityState === 'hidden') hidden();
    else requestAnimationFrame(frame);
  });
}
