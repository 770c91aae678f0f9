/* session.js - who answers what in which order, and what was answered. */

const study = JSON.parse(document.getElementById('data').textContent);
const afc = study.kind === '2afc';

/* Numbers that depend on a text alone: FNV-1a into mulberry32 (T. Ettinger). */
function seeded(text) {
  let state = 0x811c9dc5;
  for (const unit of text) state = Math.imul(state ^ unit.codePointAt(0), 0x01000193);
  return function () {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function shuffled(list, next) {
  const out = list.slice();
  for (let i = out.length - 1; i > 0; i--) {
    const k = Math.floor(next() * (i + 1));
    [out[i], out[k]] = [out[k], out[i]];
  }
  return out;
}

/* Each trial with a side for its first picture; half of them (of an odd number one more or
   less) are swapped. */
function sided(trials, next) {
  const odd = next() < 0.5 ? 1 : 0;
  const sides = shuffled(trials.map((_, i) => (i + odd) % 2), next);
  return shuffled(trials, next).map((trial, i) => ({ trial, flip: sides[i] }));
}

/* What a rater is asked, in order: the rater's block, and one sentinel at random within each
   of as many equal stretches. */
function planOf(rater) {
  const next = seeded(study.study + ':' + rater);
  const block = sided(study.blocks[(rater - 1) % study.blocks.length], next);
  const checks = sided(study.sentinels, next);
  const total = block.length + checks.length;
  const at = new Set(checks.map((_, i) => Math.floor(((i + next()) * total) / checks.length)));
  const plan = [];
  for (let i = 0; i < total; i++) plan.push(at.has(i) ? checks.pop() : block.pop());
  return plan;
}

/* Practice is repeated until right, each trial three times at most. */
function practiceOf(rater) {
  const right = new Map(study.practice.map((p) => [p.trial, p.right]));
  return sided(study.practice.map((p) => p.trial), seeded(study.study + ':practice:' + rater))
    .map((p) => ({ ...p, right: right.get(p.trial), tries: 3 }));
}

/* ---- what is kept in this browser -------------------------------------------------- */

const prefix = 'lpips-collect:' + study.study + ':';

function remembered(rater) {
  try {
    const kept = JSON.parse(localStorage.getItem(prefix + rater));
    return kept && kept.study === study.study && Array.isArray(kept.answers) ? kept : null;
  } catch (e) {
    return null;
  }
}

/* The rater whose answers lie here unfinished, the last one first; 0: nobody's. */
function lastRater() {
  try {
    return Number(localStorage.getItem(prefix + 'last')) || 0;
  } catch (e) {
    return 0;
  }
}

function remember(session) {
  try {
    localStorage.setItem(prefix + session.rater, JSON.stringify(session));
    localStorage.setItem(prefix + 'last', String(session.rater));
    return true;
  } catch (e) {
    return false;
  }
}

function randomName() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}

/* The session of a rater: as the server knows it, as this browser remembers it, or new. */
function sessionOf(rater) {
  const kept = remembered(rater);
  const fresh = {
    study: study.study, kind: study.kind, rater, session: randomName(),
    started: new Date().toISOString(), practised: false, sent: 0, answers: [],
  };
  if (!study.session) return kept || fresh;
  const known = { ...fresh, session: study.session.session, answers: study.session.answers.slice() };
  known.sent = known.answers.length;
  if (kept && kept.session === known.session) {
    const have = new Set(known.answers.map((a) => a.trial));
    known.answers.push(...kept.answers.filter((a) => !have.has(a.trial)));
    known.practised = kept.practised;
  }
  known.practised = known.practised || known.answers.length > 0;
  return known;
}

/* The file that is handed in. */
function resultsOf(session) {
  return {
    format: 'lpips-collect results', version: 1, study: session.study, kind: session.kind,
    rater: session.rater, session: session.session, started: session.started,
    saved: new Date().toISOString(), answers: session.answers,
  };
}

/* ---- the server, where there is one ------------------------------------------------- */

/* Sends what was not sent yet, in order, and goes on trying; tell(waiting, trouble) hears of
   each step. */
function sender(session, tell) {
  let busy = false;
  let wait = 500;
  const waiting = () => session.answers.length - session.sent;

  async function step() {
    const reply = await fetch('answer', {
      method: 'POST', headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(session.answers[session.sent]), credentials: 'omit', cache: 'no-store',
    });
    // 409: the server has another answer to it already, which stands.
    const done = reply.ok || reply.status === 409;
    if (done) session.sent++;
    else if (reply.status !== 429 && reply.status < 500) throw new Error(await reply.text());
    return done;
  }
  async function send() {
    if (busy) return;
    busy = true;
    while (waiting() > 0) {
      let trouble = '';
      let ok = false;
      try {
        ok = await step();
      } catch (e) {
        trouble = e instanceof TypeError ? '' : e.message;
      }
      if (ok) {
        wait = 500;
        remember(session);
      }
      tell(waiting(), trouble);
      if (!ok) {
        await new Promise((done) => setTimeout(done, wait));
        wait = Math.min(wait * 2, 15000);
      }
    }
    busy = false;
    tell(0, '');
  }
  return study.session ? send : () => {};
}
