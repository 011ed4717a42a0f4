// The overview: counts, every claim by mechanism and lab, the largest gaps, and what to run next.

export default function ({ parentElement, data, setTriggerValue }) {
  let root = parentElement.querySelector(".board");
  if (!root) {
    root = el("div", { class: "board" });
    parentElement.append(root);
  }
  const told = JSON.stringify({ ...data, status: null });
  if (root.dataset.told !== told) {
    const focused = parentElement.activeElement?.dataset?.key;
    const tip = el("div", { class: "tip", role: "tooltip", id: "tip" });
    const open = (mark) => ({ claim: mark.claim, variant: mark.variant });
    const context = { tip, go: (link, mark) => opens(link, open(mark), setTriggerValue) };
    const matrix = claims(data, context);
    root.replaceChildren(
      el("div", { class: "top" }, counts(data), el("p", { class: "status" })),
      el("div", { class: "columns" }, el("div", { class: "main" }, ...alerts(data, context), matrix), aside(data, context)),
      tip,
    );
    root.dataset.told = told;
    walk(matrix, focused);
  }
  const status = root.querySelector(".status");
  const tell = () => status.replaceChildren(...freshness(data.status));
  tell();
  const clock = setInterval(tell, 1000);
  return () => clearInterval(clock);
}

function counts({ counts, note, authors }) {
  const items = counts.map(({ verdict, title, count, note }) =>
    el("li", {}, mark(verdict, true, 15, 0.3), el("span", {}, title), el("b", {}, String(count)), note && el("span", { class: "muted" }, note)),
  );
  const said = [authors && "Hollow: the authors’ run, not yours.", note].filter(Boolean).join(" ");
  return el("div", { class: "said" }, el("ul", { class: "counts", "aria-label": "Claims by verdict" }, ...items), el("p", { class: "muted" }, said));
}

function freshness({ finished, newest, away, synced }) {
  const trials = finished === 1 ? "1 trial finished" : `${finished.toLocaleString("en")} trials finished`;
  const own = finished ? `${trials}; newest ${ago(newest)}` : "No trials of your own yet";
  if (!away) return [el("span", { class: newest && Date.now() - newest < 20000 ? "live" : "" }, own)];
  const since = synced ? `what it said ${ago(synced)} is shown` : "what is on this disk is shown";
  return [el("span", { class: "away" }, `MLflow does not answer; ${since}.`), el("span", {}, own)];
}

function alerts({ wrong, doubts }, context) {
  const boxes = wrong.map((text) => el("p", { class: "alert", role: "alert" }, text));
  if (doubts.length) {
    const links = doubts.flatMap((doubt, at) => [at ? "; " : "", link(doubt, doubt.name, context)]);
    boxes.push(el("p", { class: "alert", role: "alert" }, "A control did not fail, so its lab may be blind: ", ...links, "."));
  }
  return boxes;
}

function link(told, text, { go }) {
  return go(el("a", { href: told.href }, text), told);
}

function claims({ bands }, context) {
  const made = el("div", { class: "matrix", role: "group", "aria-label": "Claims by mechanism and lab; arrow keys move between marks" });
  made.append(...bands.map((band) => bandOf(band, context)));
  return made;
}

function bandOf(band, context) {
  const head = el("h2", {}, band.title, el("span", { class: "muted" }, band.about));
  if (band.summary) head.append(el("span", { class: band.gaps ? "some" : "muted" }, band.summary));
  return el("section", { class: "band" }, head, band.empty ? empty(band.empty) : "", ...band.labs.map((lab) => labOf(lab, context)));
}

/** A sentence in which what stands between backticks is a command. */
function empty(text) {
  return el("p", { class: "empty" }, ...text.split("`").map((part, at) => (at % 2 ? el("code", {}, part) : part)));
}

function labOf(lab, context) {
  const head = el("h3", {}, lab.title, el("span", { class: "id" }, lab.id));
  return el("div", { class: "lab" }, head, ...lab.claims.map((claim) => lineOf(claim, context)));
}

function lineOf(claim, context) {
  const name = el("a", { class: "name", href: claim.head.href, "data-key": claim.id }, mark(claim.head.verdict, claim.head.own, 17, claim.head.growth), el("span", {}, claim.name));
  name.setAttribute("aria-label", claim.head.label);
  hint(context.go(name, claim.head), { ...claim.head, title: claim.statement }, context.tip);
  return el("div", { class: "line" }, name, el("div", { class: "variants" }, ...claim.marks.map((one) => chip(one, context))));
}

function chip(one, context) {
  const button = el("button", { type: "button", class: `chip ${one.role} ${one.amiss ? "amiss" : ""}`, "aria-label": one.label, "data-key": one.href });
  const drawn = mark(one.verdict, one.own, 12, one.growth);
  button.append(...(one.role === "control" ? ["[", drawn, "]"] : [drawn]), el("span", {}, one.variant));
  hint(button, { ...one, title: one.role ? `${one.variant}, ${ROLES[one.role]}` : one.variant }, context.tip);
  return context.go(button, one);
}

const ROLES = { control: "the control: here it must fail", headline: "the verdict that counts", sound: "where it must hold" };
const TITLES = { holds: "Holds", gap: "Gap", inconclusive: "Inconclusive", impossible: "Impossible", "not run": "Not run" };

/** The same words on hover and on focus, beside the mark and inside the window. */
function hint(target, one, tip) {
  const show = () => {
    const verdict = el("p", { class: "verdict" }, mark(one.verdict, one.own, 14), TITLES[one.verdict]);
    tip.replaceChildren(el("p", { class: "title" }, one.title), verdict, ...one.lines.map((line) => el("p", {}, line)));
    tip.classList.add("shown");
    const at = target.getBoundingClientRect();
    const left = Math.min(at.left, window.innerWidth - tip.offsetWidth - 12);
    const above = at.bottom + tip.offsetHeight + 12 > window.innerHeight;
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${above ? at.top - tip.offsetHeight - 6 : at.bottom + 6}px`;
  };
  const hide = () => tip.classList.remove("shown");
  target.addEventListener("mouseenter", show);
  target.addEventListener("focus", show);
  target.addEventListener("mouseleave", hide);
  target.addEventListener("blur", hide);
  target.addEventListener("keydown", (event) => event.key === "Escape" && hide());
}

/** One stop for the Tab key; from there arrows, Home and End move between the names and the marks. */
function walk(matrix, focused) {
  const lines = [...matrix.querySelectorAll(".line")].map((line) => [...line.querySelectorAll("a, button")]);
  const every = lines.flat();
  if (!every.length) return;
  const enter = (target) => {
    for (const other of every) other.tabIndex = -1;
    target.tabIndex = 0;
  };
  const again = every.find((target) => target.dataset.key === focused);
  enter(again ?? every[0]);
  again?.focus();
  matrix.addEventListener("focusin", (event) => every.includes(event.target) && enter(event.target));
  matrix.addEventListener("keydown", (event) => {
    const from = every.find((target) => target === event.target);
    const next = from && step(lines, from, event.key);
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
}

function step(lines, from, key) {
  const row = lines.findIndex((line) => line.includes(from));
  const line = lines[row];
  const at = line.indexOf(from);
  const middle = (target) => target.getBoundingClientRect().left + 8;
  const nearest = (other) =>
    other?.reduce((best, target) => (Math.abs(middle(target) - middle(from)) < Math.abs(middle(best) - middle(from)) ? target : best));
  const moves = {
    ArrowRight: () => line[at + 1],
    ArrowLeft: () => line[at - 1],
    ArrowDown: () => nearest(lines[row + 1]),
    ArrowUp: () => nearest(lines[row - 1]),
    Home: () => line[0],
    End: () => line[line.length - 1],
  };
  return moves[key]?.();
}

function aside(data, context) {
  return el("aside", {}, ...largest(data.largest, context), ...next(data.next));
}

function largest({ axis, gaps, more, none }, context) {
  const head = el("h2", {}, "Largest gaps");
  if (!gaps.length) return [head, el("p", { class: "muted" }, none)];
  const x = (at) => `${(100 * (at - axis[0])) / (axis[1] - axis[0])}%`;
  const words = "Distance from theory, in tolerances. Grey: the tolerance. Bar: the 95% interval. Beyond the tolerance each step is ten times as far.";
  const list = el("ol", { class: "gaps" }, ...gaps.map((gap) => el("li", {}, gapOf(gap, x, axis, context))));
  return [head, el("p", { class: "muted" }, words), list, scale(x, axis), more ? el("p", { class: "muted" }, `and ${more} more`) : ""];
}

function gapOf(gap, x, axis, context) {
  const said = el("span", { class: "said" }, el("b", {}, gap.name), el("span", { class: "muted" }, `${gap.lab} · ${gap.why}`), el("em", {}, gap.times));
  const strip = shape("svg", { class: "strip", width: "100%", height: 18, "aria-hidden": "true" });
  const low = gap.relation === "at_most" ? axis[0] : -1;
  const high = gap.relation === "at_least" ? axis[1] : 1;
  const width = `${(100 * (high - low)) / (axis[1] - axis[0])}%`;
  const drawn = mark(gap.verdict, gap.own, 16, gap.growth);
  drawn.setAttribute("x", "-8");
  drawn.setAttribute("y", "-8");
  const place = shape("svg", { x: x(gap.at), y: "50%", overflow: "visible" });
  place.append(drawn);
  strip.append(
    shape("line", { class: "base", x1: "0%", x2: "100%", y1: "50%", y2: "50%" }),
    shape("rect", { class: "zone", x: x(low), width, y: 3, height: 12, rx: 2 }),
    shape("line", { class: "zero", x1: x(0), x2: x(0), y1: 3, y2: 15 }),
    shape("line", { class: `whisker ${gap.verdict}`, x1: x(gap.low), x2: x(gap.high), y1: "50%", y2: "50%" }),
    place,
  );
  const line = el("a", { href: gap.href, "aria-label": `${gap.label}, ${gap.why}` }, said, strip);
  hint(line, { ...gap, title: `${gap.name}, ${gap.variant}` }, context.tip);
  return context.go(line, gap);
}

function scale(x, axis) {
  const made = shape("svg", { class: "scale", width: "100%", height: 16, "aria-hidden": "true" });
  for (let power = 0; power < 9; power++) {
    for (const sign of power ? [-1, 1] : [-1, 0, 1]) {
      const at = sign * (1 + power);
      if (at < axis[0] || at > axis[1] || (power && power % Math.ceil((axis[1] - axis[0]) / 7))) continue;
      const text = shape("text", { x: x(sign ? at : 0), y: 12, "text-anchor": at > axis[1] - 0.4 ? "end" : "middle" });
      text.textContent = sign ? `${sign < 0 ? "−" : ""}${power < 4 ? (10 ** power).toLocaleString("en") : `10${"⁰¹²³⁴⁵⁶⁷⁸⁹"[power]}`}` : "0";
      made.append(text);
    }
  }
  return made;
}

function next({ labs, own, of, all }) {
  if (!of) return [];
  if (!labs.length) return [el("h2", {}, "Run by you"), el("p", { class: "muted" }, `All ${of} claims.`)];
  const lead = own ? `${own} of ${of} claims rest on trials of yours.` : "Nothing yet: run a lab and its marks fill in.";
  const items = labs.map(({ lab, command, missing, theirs }) => {
    const parts = [missing && `${missing} without a trial`, theirs && `${theirs} by the authors alone`].filter(Boolean);
    return el("li", { title: `${lab}: ${parts.join(", ")}` }, el("code", {}, command), el("span", { class: "muted" }, parts.join(", ")), copies(command));
  });
  const whole = all ? el("li", {}, el("code", {}, all), el("span", { class: "muted" }, "all of them"), copies(all)) : "";
  return [el("h2", {}, "Not run by you yet"), el("p", { class: "muted" }, lead), el("ul", { class: "next" }, whole, ...items)];
}
