"use strict";
// The page answers each question again at other settings. The formulas are those of laws/formulas.py
// (Equations 1 and 8) and the rule is that of planning/verdict.py; all numbers come with the page.

// --- the law

function logSum(law, n, d) {
  return Math.log(law.A * Math.exp(-law.alpha * n) + law.B * Math.exp(-law.beta * d));
}

function aloneLoss(law, n, d) {
  return law.E + Math.exp(law.gamma * logSum(law, n, d));
}

function taughtLoss(law, n, d, x) {
  const u = (x - Math.log(aloneLoss(law.supervised, n, d)) - Math.log(law.d1)) / law.f1;
  const softplus = Math.max(u, 0) + Math.log(1 + Math.exp(-Math.abs(u)));
  return Math.exp(x) + Math.exp(-law.c0 * x - law.c1 * law.f1 * softplus + law.gamma * logSum(law, n, d));
}

// Log of the unique tokens that exp(d) tokens are worth: laws/repetition.py.
function logWorth(m, d) {
  if (m.unique_tokens === null) return d;
  const epochs = Math.exp(d - Math.log(m.unique_tokens));
  if (!(epochs > 1)) return d;
  return Math.log(m.unique_tokens) + Math.log(1 - m.repeats_worth * Math.expm1((1 - epochs) / m.repeats_worth));
}

// --- searching

// The least value of f between low and high: a grid, then the golden section around its best point.
// Losses are flat at their least, so that places to 1e-3 of the grid's step give losses to 1e-6.
function minimum(f, low, high, points) {
  if (!(low <= high)) return { at: low, value: Infinity };
  const step = (high - low) / (points - 1);
  const seen = (at) => { const value = f(at); return { at, value: value === value ? value : Infinity }; };
  let best = seen(low);
  for (let i = 1; i < points; i++) {
    const one = seen(i === points - 1 ? high : low + i * step);
    if (one.value < best.value) best = one;
  }
  if (best.value === Infinity || step === 0) return best;
  let from = Math.max(low, best.at - step), to = Math.min(high, best.at + step);
  const part = (Math.sqrt(5) - 1) / 2;
  let left = seen(to - part * (to - from)), right = seen(from + part * (to - from));
  for (let i = 0; i < 16; i++) {
    if (left.value <= right.value) {
      to = right.at; right = left; left = seen(to - part * (to - from));
    } else {
      from = left.at; left = right; right = seen(from + part * (to - from));
    }
    if (left.value < best.value) best = left;
    if (right.value < best.value) best = right;
  }
  return best;
}

// Prices between the known sizes, on straight lines in logarithms.
function prices(rows, names) {
  const logs = rows.map((one) => Math.log(one.params));
  const columns = names.map((name) => rows.map((one) => Math.log(one[name])));
  return {
    low: logs[0],
    high: logs[logs.length - 1],
    at(n) {
      let i = 0, j = logs.length - 1;
      while (j - i > 1) { const k = (i + j) >> 1; if (logs[k] <= n) i = k; else j = k; }
      const part = j === i ? 0 : (n - logs[i]) / (logs[j] - logs[i]);
      const found = {};
      for (let k = 0; k < names.length; k++) {
        found[names[k]] = Math.exp(columns[k][i] + part * (columns[k][j] - columns[k][i]));
      }
      return found;
    },
  };
}

function modelOf(m) {
  m.known = new Map(m.sizes.map((one) => [one.params, one]));
  const names = m.sizes[0].served > 0 ? ["alone", "taught", "served"] : ["alone", "taught"];
  m.between = prices(m.sizes.filter((one) => one.chosen), names);
  m.priced = m.teachers.length ? prices(m.teachers, ["forward", "training"]) : null;
  return m;
}

// --- both ways to spend a budget

// Log of the tokens that a price leaves of the budget; not-a-number where they are too few.
function tokensFor(m, budget, size, perToken, once) {
  const [fewest, most] = m.student_tokens;
  const tokens = Math.min((budget / m.students - once - (size.served || 0)) / perToken, most);
  return tokens >= fewest * (1 - 1e-12) ? Math.log(tokens) : NaN;
}

function overSizes(m, params, answer) {
  if (params !== null) return answer(Math.log(params), m.known.get(params));
  const best = minimum((n) => answer(n, m.between.at(n)).loss, m.between.low, m.between.high, 33);
  return answer(best.at, m.between.at(best.at));
}

function alone(m, at) {
  return overSizes(m, at.params, (n, size) => {
    const d = tokensFor(m, at.budget, size, size.alone, 0);
    const loss = aloneLoss(m.law.supervised, n, logWorth(m, d));
    return { loss: d === d ? loss : Infinity, n, d };
  });
}

function taught(m, at) {
  const share = m.ways.find((one) => one.accounting === at.accounting).share;
  const answer = (n, size, x, forward, once) => {
    const d = tokensFor(m, at.budget, size, size.taught + share.logits * forward, share.training * once);
    const loss = taughtLoss(m.law, n, logWorth(m, d), x);
    return { loss: d === d ? loss : Infinity, n, d, x };
  };
  if (at.teacherLoss !== null) {
    const price = m.teacher || { forward: 0, training: 0 };
    return overSizes(m, at.params, (n, size) =>
      answer(n, size, Math.log(at.teacherLoss), price.forward, price.training));
  }
  return overSizes(m, at.params, (n, size) => chosenTeacher(m, at, share, n, size, answer));
}

// The best teacher that the rest of the budget can pay for: over its size, and over its tokens.
function chosenTeacher(m, at, share, n, size, answer) {
  const law = m.law.supervised, [low, high] = m.teacher_tokens.map(Math.log);
  const of = (t, price, e) =>
    answer(n, size, Math.log(aloneLoss(law, t, logWorth(m, e))), price.forward, price.training * Math.exp(e));
  const longest = (price) => {
    const rest = at.budget / m.students - (size.served || 0)
      - m.student_tokens[0] * (size.taught + share.logits * price.forward);
    return share.training > 0 ? Math.min(high, Math.log(rest / (share.training * price.training))) : high;
  };
  const bestTokens = (t) => {
    const price = m.priced.at(t);
    return minimum((e) => of(t, price, e).loss, low, longest(price), 17);
  };
  const t = minimum((one) => bestTokens(one).value, m.priced.low, m.priced.high, 25).at;
  return of(t, m.priced.at(t), bestTokens(t).at);
}

// --- the rule

function beyond(value, ends, logs) {
  if (!ends) return [0, 0];
  const [low, high] = logs ? ends.map(Math.log) : ends;
  return [Math.max(low - value, 0), Math.max(value - high, 0)];
}

// Scale of the error that the distance to the fitted range adds to a gain: laws/transfer.py.
function outsideOf(m, one, other, gain) {
  const valid = m.valid, s = m.slopes, run = Number.isFinite(other.loss) ? other : one;
  const sizes = valid.student_params || valid.params, lengths = valid.student_tokens || valid.tokens;
  const [under, over] = beyond(run.n, sizes, true);
  const [few, many] = beyond(run.d, lengths, true), [few1, many1] = beyond(one.d, lengths, true);
  const short = Math.max(few, few1), long = Math.max(many, many1);
  const off = other.x === undefined ? 0 : Math.max(...beyond(Math.exp(other.x), valid.teacher_loss, false));
  const known = Number.isFinite(gain) ? gain : 0;
  return Math.sqrt((s.params_below * under) ** 2 + (s.tokens_below * short) ** 2
    + s.above ** 2 * (over ** 2 + long ** 2) + (s.teacher_loss * off) ** 2
    + s.gain_share ** 2 * (under ** 2 + short ** 2) * known ** 2) || 0;
}

// Whether a run is so far outside that its loss is a guess.
function isGuess(m, run) {
  return run.d < Math.log(m.fewest_tokens_per_param) + run.n
    || outsideOf(m, run, run, 0) > Math.max(m.tie_nats, m.telling * m.transfer);
}

function weigh(m, one, other) {
  if (!Number.isFinite(one.loss)) return { verdict: "none", outside: 0, why: "The budget trains no such student." };
  const gain = one.loss - other.loss, affordable = Number.isFinite(other.loss);
  const outside = outsideOf(m, one, other, gain);
  const price = affordable
    ? aloneLoss(m.law.supervised, other.n, logWorth(m, other.d)) - one.loss : Infinity;
  const starved = Math.min(price - m.largest_gain, -m.tie_nats - gain);
  const room = Math.max(Math.min(Math.abs(gain), m.largest_gain), m.tie_nats, m.telling * m.transfer) - outside;
  if (one.loss >= m.guessing || (affordable && other.loss >= m.guessing)) {
    return { verdict: "none", outside, gain, why: "The law gives a loss that guessing would beat." };
  }
  if (one.d < Math.log(m.fewest_tokens_per_param) + one.n || Math.max(room, starved) < 0) {
    return { verdict: "none", outside, gain, why: "Too far from any run behind the law to tell." };
  }
  let verdict = "tie";
  if (gain >= m.tie_nats && gain > 0) verdict = "distill";
  if (gain <= -m.tie_nats && gain < 0) verdict = "supervised";
  return { verdict, outside, gain, why: "" };
}

function answerAt(m, at) {
  const one = alone(m, at), other = taught(m, at);
  return { one, other, ...weigh(m, one, other) };
}

// --- words

function flops(value) {
  const [mantissa, exponent] = value.toExponential(2).split("e");
  return `${mantissa}e${Number(exponent)}`;
}

function count(value, digits = 3) {
  const rounded = Number(value.toExponential(digits - 1));
  for (const [suffix, size] of [["T", 1e12], ["B", 1e9], ["M", 1e6], ["k", 1e3]]) {
    const scaled = rounded / size;
    if (scaled >= 1 && scaled < 1e4) {
      return scaled.toFixed(Math.max(digits - 1 - Math.floor(Math.log10(scaled)), 0)) + suffix;
    }
  }
  return flops(value);
}

function budgetInWords(m, budget) {
  return m.in_hours ? `${count(budget / 3600)} GPU-hours` : `${flops(budget)} FLOPs`;
}

function capital(text) {
  return text[0].toUpperCase() + text.slice(1);
}

// --- the page

function panel(form, m) {
  const part = (name) => form.querySelector(`[data-part="${name}"]`);
  const section = form.closest("section"), shown = section.querySelector("[data-part=result]");
  const written = {
    budget: m.budget,
    params: m.student,
    teacherLoss: m.teacher ? m.teacher.loss : null,
    accounting: m.pays,
  };
  const middle = m.student === null ? m.middle_size : m.student;

  function settings() {
    const step = Number(part("budget").value), loss = Number(part("teacher").value);
    const any = part("any-teacher");
    const given = !any || !any.checked;
    const free = given && m.teacher === null;  // nobody said how large this teacher is
    if (free) part("pays").value = "free";
    part("pays").disabled = free;
    part("teacher").disabled = !given;
    part("student").disabled = part("any-student").checked;
    return {
      budget: step === 0 ? m.budget : m.budget * 10 ** (step / m.steps_per_decade),
      params: part("any-student").checked ? null : m.offered[Number(part("student").value)],
      teacherLoss: given ? m.middle_loss + loss * m.loss_step : null,
      accounting: part("pays").value,
    };
  }

  function fill() {
    part("budget").value = 0;
    part("student").value = m.offered.indexOf(middle);
    part("any-student").checked = m.student === null;
    part("teacher").value = 0;
    if (part("any-teacher")) part("any-teacher").checked = true;
    part("pays").value = m.pays;
    show();
  }

  function tell(name, text) {
    part(`${name}-out`).textContent = text;
    part(name).setAttribute("aria-valuetext", text);
  }

  function words(at, found) {
    const { one, other } = found;
    tell("budget", budgetInWords(m, at.budget));
    tell("student", at.params === null ? `best: about ${count(Math.exp(one.n), 2)}` : count(at.params));
    const best = at.teacherLoss === null && Number.isFinite(other.loss);
    tell("teacher", best ? `best: ${Math.exp(other.x).toFixed(3)} nats`
      : at.teacherLoss === null ? "over budget" : `${at.teacherLoss.toFixed(3)} nats`);
    const loss = (run, chosen) => {
      if (!Number.isFinite(run.loss)) return "over budget";
      if (run.loss >= m.guessing) return "worse than guessing";
      const tokens = chosen ? `about ${count(Math.exp(run.d), 2)}` : count(Math.exp(run.d));
      return `${run.loss.toFixed(3)}${isGuess(m, run) ? "?" : ""} on ${tokens} tokens`;
    };
    const said = (name, text) => { shown.querySelector(`[data-part="${name}"]`).textContent = text; };
    const asWritten = Object.keys(written).every((key) => at[key] === written[key]);
    const aside = m.on_machine && !asWritten && found.verdict !== "none" ? " by the losses alone" : "";
    said("verdict", `${capital(m.words[found.verdict])}${aside}.`);
    said("why", found.why || (Number.isFinite(found.gain)
      ? `Distilling is ${Math.abs(found.gain).toFixed(3)} nats ${found.gain < 0 ? "worse" : "better"}.`
      : "There is no budget left for a teacher."));
    said("alone", loss(one, at.params === null));
    said("taught", loss(other, at.params === null || at.teacherLoss === null));
    said("odds", asWritten ? form.dataset.odds : form.dataset.moved);
    said("asked", asWritten ? "" : asked(at));
    shown.dataset.verdict = found.verdict;
  }

  // The options that ask the planner the same.
  function asked(at) {
    const found = [];
    const changed = (key) => at[key] !== written[key];
    const short = (value) => value === null ? value : Number(value.toPrecision(10));
    if (changed("budget") || (m.by_tokens && changed("params"))) found.push(m.in_hours ? `gpu_hours=${short(at.budget / 3600)}` : `compute=${short(at.budget)}`);
    if (changed("budget") && m.in_hours) found.push(...m.limited_by.map((key) => `${key}=null`));
    if (changed("params")) found.push(`student=${short(at.params)}`, ...(m.vocab ? [`vocab=${m.vocab}`] : []));
    if (changed("teacherLoss")) found.push(`teacher.loss=${short(at.teacherLoss)}`);
    if (changed("accounting")) found.push(`accounting=${at.accounting}`);
    if (m.cached && (at.accounting === "exists" || at.accounting === "train")) found.push("logits=online");
    return found.map((one) => `--set ${one}`).join(" ");
  }

  // Full precision, for whoever reads the page with a program.
  function record(at, found) {
    const number = (value) => (value < m.guessing ? value : null);
    form.dataset.state = JSON.stringify({
      ...at, verdict: found.verdict, alone: number(found.one.loss), taught: number(found.other.loss),
      guesses: [isGuess(m, found.one), isGuess(m, found.other)],
    });
  }

  function here(figure, x, y) {
    const mark = section.querySelector(`[data-here="${figure}"]`);
    if (!mark) return;  // a mark without a place is not inside, and is hidden
    const [x0, x1, left, right, y0, y1, bottom, top] = mark.dataset.scale.split(" ").map(Number);
    const px = left + (x - x0) / (x1 - x0) * (right - left), py = bottom + (y - y0) / (y1 - y0) * (top - bottom);
    const inside = px >= left - 1 && px <= right + 1 && py <= bottom + 1 && py >= top - 1;
    mark.setAttribute("visibility", inside ? "visible" : "hidden");
    if (inside) mark.setAttribute("transform", `translate(${px.toFixed(1)} ${py.toFixed(1)})`);
  }

  function marks(at, { one, other }) {
    const b = Math.log10(m.in_hours ? at.budget / 3600 : at.budget);
    here("map", b, one.n / Math.LN10);
    here("alone", b, one.loss);
    here("taught", b, other.loss);
    here("teacher", Math.exp(other.x), other.loss);
  }

  // The map is of one teacher and one way to pay: it is drawn again when they change.
  const cells = section.querySelectorAll(".cells .cell");
  let drawn = `${written.teacherLoss} ${written.accounting}`, later = 0;

  function paint(at) {
    const wanted = `${at.teacherLoss} ${at.accounting}`;
    clearTimeout(later);
    if (wanted === drawn || !cells.length) return;
    const seen = {};
    let i = 0;
    for (const params of m.map.sizes) {
      for (const budget of m.map.budgets) {
        const found = answerAt(m, { ...at, budget, params });
        cells[i++].setAttribute("class", `cell ${found.verdict}${found.outside > 0 ? " outside" : ""}`);
        seen[found.verdict] = (seen[found.verdict] || 0) + 1;
      }
    }
    const counts = Object.entries(seen).map(([kind, times]) => `${m.words[kind]} in ${times}`);
    cells[0].closest("svg").setAttribute("aria-label",
      `Map of verdicts over budget and student size. Of ${cells.length} cells: ${counts.join(", ")}.`);
    const loss = at.teacherLoss === null ? "" : `, ${at.teacherLoss.toFixed(3)} nats`;
    section.querySelector("[data-part=map-of]").textContent = `${part("pays").selectedOptions[0].text}${loss}`;
    form.dataset.drawn = drawn = wanted;
  }

  function redraw(at) {
    clearTimeout(later);
    later = setTimeout(paint, 120, at);
  }

  function show() {
    const at = settings(), found = answerAt(m, at);
    words(at, found);
    marks(at, found);
    record(at, found);
    redraw(at);
  }

  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  part("reset").addEventListener("click", fill);
  window.addEventListener("beforeprint", () => { fill(); paint(settings()); });  // paper has no sliders
  form.hidden = false;
  shown.hidden = false;
  fill();
}

// --- tables that sort

function sortable(table) {
  table.querySelectorAll("thead th").forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      table.querySelectorAll("th").forEach((one) => one.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const body = table.tBodies[0], key = (row) => row.cells[column].dataset.value ?? "";
      const rows = [...body.rows].sort((a, b) => {
        const one = key(a), other = key(b);
        if (one === "" || other === "") return (one === "") - (other === "");  // what is empty comes last
        const order = Number(one) - Number(other) || one.localeCompare(other);
        return down ? -order : order;
      });
      body.append(...rows);
    });
  });
}

document.querySelectorAll("table.sortable").forEach(sortable);
const carried = JSON.parse(document.getElementById("carried").textContent);
document.querySelectorAll("form.sliders").forEach((form) => {
  panel(form, modelOf(carried[form.dataset.scenario]));
});
