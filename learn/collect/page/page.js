/* page.js - the screens one after the other, keys, buttons and the bar. */

const $ = (id) => document.getElementById(id);
const SIDES = afc ? ['Left', 'Right'] : ['Same', 'Different'];
const REFRESH = 200; // ms of empty ground between trials
const CROSS = 500;   // ms of a cross before two pictures in turn
const EARLIEST = 150; // ms: an answer before that was meant for the trial before

let session = null;
let panes = [];
let pending = null;   // of the trial that waits for an answer: what to call with the side
let since = 0;        // when it began to wait
let disturbed = false; // the window was too small meanwhile
let send = () => {};

function make(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const nextFrame = () => new Promise((done) => requestAnimationFrame(done));

function screen(name) {
  for (const id of ['welcome', 'trial', 'ready', 'done']) $(id).hidden = id !== name;
  const head = $(name).querySelector('h1');
  if (head) head.focus({ preventScroll: true });
}

/* ---- light and dark ------------------------------------------------------------------- */

const darkSystem = window.matchMedia('(prefers-color-scheme: dark)');

function theme() {
  return document.documentElement.dataset.theme || (darkSystem.matches ? 'dark' : 'light');
}

function sayTheme() {
  $('theme').textContent = theme() === 'dark' ? 'Lighter surroundings' : 'Darker surroundings';
}

$('theme').addEventListener('click', () => {
  document.documentElement.dataset.theme = theme() === 'dark' ? 'light' : 'dark';
  sayTheme();
});
darkSystem.addEventListener('change', sayTheme);

/* ---- the size of the window ------------------------------------------------------------ */

function layOut() {
  if ($('trial').hidden) return null;
  const found = place(panes);
  $('small').hidden = found !== null;
  if (found) return found;
  disturbed = true;
  const ratio = window.devicePixelRatio || 1;
  const across = size[0] * (study.scale || 1) / ratio;
  $('smalltext').textContent = 'Pictures are shown here without being made smaller, which needs room for '
    + `${Math.ceil(afc ? 2 * across + GAP : across)} by ${Math.ceil(size[1] * (study.scale || 1) / ratio * (afc ? 2 : 1) + (afc ? 3 : 1) * GAP)} `
    + 'pixels beside the buttons. Make the window larger, turn the phone, or zoom out; your answers so far are kept.';
  return null;
}

window.addEventListener('resize', layOut);

/* ---- answers ------------------------------------------------------------------------------ */

const KEYS = { ArrowLeft: 0, 1: 0, f: 0, F: 0, ArrowRight: 1, 2: 1, j: 1, J: 1 };

function answer(side) {
  if (!pending || performance.now() - since < EARLIEST || !$('small').hidden) return;
  const done = pending;
  pending = null;
  enable(false);
  done(side);
}

/* aria-disabled rather than disabled: a button that loses its focus between two trials would
   throw users of the keyboard back to the page's start. */
function enable(on) {
  for (const button of document.querySelectorAll('#answers button')) button.setAttribute('aria-disabled', String(!on));
}

function answered() {
  enable(true);
  since = performance.now();
  return new Promise((done) => { pending = done; });
}

document.addEventListener('keydown', (event) => {
  if ($('trial').hidden || event.repeat || event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
  event.preventDefault();
  answer(KEYS[event.key]);
});

function showAnswers() {
  const keys = ['← or F', '→ or J'];
  $('answers').replaceChildren(...SIDES.map((text, side) => {
    const button = make('button', { type: 'button', textContent: text });
    if (afc) button.setAttribute('aria-label', `${text} picture is more like the reference`);
    button.setAttribute('aria-keyshortcuts', side ? 'ArrowRight J 2' : 'ArrowLeft F 1');
    button.addEventListener('click', () => answer(side));
    return button;
  }));
  $('keys').textContent = `Keys: ${SIDES[0].toLowerCase()} ${keys[0]}, ${SIDES[1].toLowerCase()} ${keys[1]}`;
  enable(false);
}

/* A button that waits: after practice trials. */
function onward(text) {
  const button = make('button', { type: 'button', className: 'main', textContent: text });
  $('answers').replaceChildren(button);
  $('keys').textContent = '';
  button.focus();
  return new Promise((done) => button.addEventListener('click', done, { once: true }));
}

/* ---- one trial ------------------------------------------------------------------------------- */

/* All that lies on the stage can be drawn at once: a picture that is still decoded when its time
   begins is seen for less. */
const ready = () => Promise.all(Array.from(stage.querySelectorAll('img'), (img) => img.decode()));

/* Resolves to { side, ms, shown } of the trial { trial, flip }. */
async function ask(item) {
  stage.replaceChildren();
  panes = [];
  const [images] = await Promise.all([pictures(item.trial), pause(REFRESH)]);
  size = [images[0].naturalWidth, images[0].naturalHeight];
  return afc ? askSides(images, item.flip) : askTurn(images, item.flip);
}

async function askSides(images, flip) {
  const [reference, first, second] = images;
  const pair = flip ? [second, first] : [first, second];
  const side = (i) => {
    const pane = make('button', { type: 'button', className: 'pane', tabIndex: -1 }, shown(pair[i], SIDES[i] + ' picture'));
    pane.addEventListener('click', () => { pane.classList.add('chosen'); answer(i); });
    return pane;
  };
  panes = [side(0), make('div', { className: 'pane' }, shown(reference, 'Reference picture'),
    make('span', { textContent: 'Reference' })), side(1)];
  stage.append(...panes);
  layOut();
  await ready();
  await nextFrame();
  const chosen = await answered();
  return { side: chosen, ms: Math.round(performance.now() - since) };
}

async function askTurn(images, flip) {
  const pair = flip ? [images[1], images[0]] : images;
  const turns = [shown(pair[0], 'First picture'), shown(pair[1], 'Second picture')];
  turns.forEach((img) => img.classList.add('off'));
  panes = [make('div', { className: 'pane' }, ...turns)];
  const cross = make('div', { id: 'cross' });
  let times = null;

  while (!times) {
    stage.replaceChildren(...panes, cross);
    disturbed = false;
    layOut();
    const box = panes[0].style;
    cross.style.left = `calc(${box.left} + ${box.width} / 2 - .625rem)`;
    cross.style.top = `calc(${box.top} + ${box.height} / 2 - .625rem)`;
    await Promise.all([ready(), pause(CROSS)]);
    cross.remove();
    times = await inTurn(turns);
    if (disturbed) times = null;
    // Looked away, or the window was too small: once more, when it can be seen.
    while (document.visibilityState === 'hidden' || !$('small').hidden) await pause(100);
  }
  $('said').textContent = 'Were they the same?';
  const chosen = await answered();
  $('said').textContent = '';
  return { side: chosen, ms: Math.round(performance.now() - since), shown: times };
}

/* The answer by pictures, not by sides: 1 is p1, or "the same". */
function meaning(side, flip) {
  return afc ? side ^ flip : 1 - side;
}

/* ---- the screens -------------------------------------------------------------------------------- */

function count(done, of) {
  $('where').textContent = done < of ? `${done + 1} of ${of}` : '';
  $('bar').hidden = done >= of;
  $('bar').max = of;
  $('bar').value = done;
  $('bar').setAttribute('aria-label', `${done} of ${of} done`);
}

function feedback(item, reply) {
  const right = meaning(reply.side, item.flip) === item.right;
  const truth = afc
    ? `the ${(item.right ^ item.flip ? 'right' : 'left')} one is the reference itself`
    : `they were ${item.right ? 'one and the same' : 'two different pictures'}`;
  $('said').textContent = `${right ? '✓ Right:' : '✗ Not quite:'} ${truth}.`;
  return right;
}

async function practise() {
  const queue = practiceOf(session.rater);
  screen('trial');
  while (queue.length) {
    const item = queue.shift();
    $('where').textContent = 'Practice';
    $('said').textContent = '';
    showAnswers();
    const right = feedback(item, await ask(item));
    if (!right && --item.tries) queue.push(item);
    await onward(queue.length ? 'Next' : 'That was it');
  }
  $('said').textContent = '';
  session.practised = true;
  remember(session);
  const n = planOf(session.rater).length;
  $('readytext').textContent = `Now ${n} of the real ones, about ${minutes(n)}. Nobody tells you now whether you were right: mostly `
    + 'there is no right or wrong, it is your eyes that count. Go with your first impression; rest whenever you like.';
  screen('ready');
  await new Promise((done) => $('begin').addEventListener('click', done, { once: true }));
}

function record(item, reply, scale) {
  const one = { trial: item.trial, flip: item.flip, choice: meaning(reply.side, item.flip), ms: reply.ms,
    scale, theme: theme(), at: new Date().toISOString() };
  if (reply.shown) one.shown = reply.shown;
  session.answers.push(one);
  const kept = remember(session);
  if (!kept && !study.session) unkept();
  send();
}

async function trials() {
  const plan = planOf(session.rater);
  const have = new Set(session.answers.map((a) => a.trial));
  const left = plan.filter((p) => !have.has(p.trial));

  screen('trial');
  showAnswers();
  for (const [i, item] of left.entries()) {
    count(plan.length - left.length + i, plan.length);
    if (i + 1 < left.length) pictures(left[i + 1].trial).catch(() => {});
    const reply = await ask(item);
    const found = layOut();
    record(item, reply, found ? found.scale : 0);
  }
  count(plan.length, plan.length);
}

function finish() {
  stage.replaceChildren();
  $('hand').hidden = Boolean(study.session);
  if (study.session) {
    const say = () => {
      const waiting = session.answers.length - session.sent;
      $('donetext').textContent = waiting
        ? `Please leave this page open: ${waiting} of your answers wait for the connection.`
        : 'Your answers are all saved. You may close this page.';
      if (waiting) setTimeout(say, 300);
    };
    say();
  } else {
    const text = JSON.stringify(resultsOf(session));
    const name = `results-${session.rater}-${session.session.slice(0, 8)}.json`;
    $('donetext').textContent = `Your ${session.answers.length} answers are in this browser only. Save them as a file, ${name}, and hand it in `
      + 'to the person who asked you.';
    $('save').href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
    $('save').download = name;
    $('copy').addEventListener('click', () => copy(text));
  }
  screen('done');
}

async function copy(text) {
  const note = $('copied');
  note.hidden = false;
  try {
    await navigator.clipboard.writeText(text);
    note.textContent = 'Copied: paste it into a message.';
  } catch (e) {
    const area = make('textarea', { readOnly: true, value: text, rows: 4 });
    area.style.width = '100%';
    note.replaceChildren('Select all of this and copy it: ', area);
    area.focus();
    area.select();
  }
}

function unkept() {
  $('saving').hidden = false;
  $('saving').textContent = 'This browser keeps nothing: leave the page open until the end.';
  window.onbeforeunload = () => true;
}

function told(waiting, trouble) {
  $('saving').hidden = waiting < 3 && !trouble;
  $('saving').textContent = trouble
    ? `The server does not take an answer: ${trouble}`
    : `No connection: ${waiting} answers wait here and are sent when it is back.`;
}

async function run(rater) {
  session = sessionOf(rater);
  send = sender(session, told);
  send();
  window.scrollTo(0, 0);
  try {
    if (!session.practised) await practise();
    await trials();
    finish();
  } catch (e) {
    screen('welcome');
    trouble(`A picture could not be loaded (${e.message}). Are the pictures still beside this page? Your answers are kept; load the page again to go on.`);
  }
}

/* ---- the first screen --------------------------------------------------------------------------- */

function minutes(n) {
  const m = Math.max(1, Math.round((n * (afc ? 3.5 : 5)) / 60));
  return m === 1 ? 'a minute' : `${m} minutes`;
}

function trouble(text) {
  $('trouble').hidden = !text;
  $('trouble').textContent = text;
}

function numberTyped() {
  const text = $('number').value.trim();
  return study.session ? study.session.rater : /^[1-9][0-9]{0,5}$/.test(text) ? Number(text) : 0;
}

function sayResume() {
  const rater = numberTyped();
  const kept = rater && (study.session ? sessionOf(rater) : remembered(rater));
  const n = kept ? kept.answers.length : 0;
  const of = rater ? planOf(rater).length : 0;
  $('resumes').hidden = !n;
  $('resumes').textContent = n < of ? `${n} of ${of} are answered already; you go on from there.` : 'All are answered already.';
  $('go').textContent = !n ? 'Begin with practice' : n < of ? 'Go on' : 'To the end';
  trouble('');
}

function welcome() {
  const rater = study.session ? study.session.rater : Number(location.hash.slice(1)) || lastRater();
  const step = (text, ...keys) => {
    const item = make('li', {});
    text.split('@').forEach((part, i) => item.append(...(i ? [make('kbd', { textContent: keys[i - 1] }), part] : [part])));
    return item;
  };
  $('title').textContent = study.title;
  document.title = study.title;
  $('lead').textContent = afc
    ? 'Three pictures: the reference, and one to each side of it. Which of the two is more like the reference?'
    : 'Two pictures, one after the other, a second each. Were they exactly the same, or was there any difference?';
  $('how').append(
    step('Sit as you usually do, the screen not in glaring light. Leave glasses on if you wear them.'),
    afc ? step('Choose by clicking or tapping a picture, or press @ or @.', '←', '→')
      : step('Look at the cross; then two pictures flash up there. Answer by the buttons or the keys @ (same) and @ (different).', '←', '→'),
    step(`After a short practice there are ${planOf(rater || 1).length}, about ${minutes(planOf(rater || 1).length)} in all. You may close the page and go on later.`));
  $('question').textContent = afc ? 'Which is more like the reference?' : 'Same or different?';
  $('who').hidden = Boolean(study.session);
  $('number').value = rater || '';
  $('number').addEventListener('input', sayResume);
  $('privacy').textContent = study.session
    ? 'What is kept: which picture you chose, when and how fast, how large it was shown, and your number. Nothing else leaves this page.'
    : 'What is kept, in this browser only: which picture you chose, when and how fast, how large it was shown, and your number. This page sends nothing anywhere.';
  sayResume();
  sayTheme();
  screen('welcome');
}

$('start').addEventListener('submit', (event) => {
  event.preventDefault();
  const rater = numberTyped();
  if (!rater) {
    trouble('Your number is missing: a whole number, 1 or more.');
    $('number').focus();
    return;
  }
  run(rater);
});
window.addEventListener('hashchange', () => location.reload());

welcome();
