// The trials behind a verdict. What stands in the cells may be anybody's text, so it becomes text nodes and nothing else.

export default function ({ parentElement, data }) {
  let root = parentElement.querySelector(".trials");
  if (!root) {
    root = el("div", { class: "trials" });
    parentElement.append(root);
  }
  const measured = data.against ? `Measured, difference to ${data.against}` : "Measured";
  const heads = [["Seed", ""], ["Predicted", "number"], [measured, "number"], ["Gap", "number"], ["Finished", ""], ["Stack", ""], ["Run", ""]];
  const head = el("tr", {}, ...heads.map(([text, kind]) => el("th", { scope: "col", class: kind }, text)));
  const table = el("table", {}, el("thead", {}, head), el("tbody", {}, ...data.rows.map(line)));
  const none = el("p", { class: "muted" }, "None yet.");
  const unit = data.unit ? el("p", { class: "muted unit" }, `Numbers are in: ${data.unit}`) : "";
  root.replaceChildren(data.rows.length ? el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Trials" }, table) : none, unit, ...fallen(data.failures));
}

function line(row) {
  const number = (text) => el("td", { class: "number" }, text);
  const gap = el("td", { class: `number ${row.within ? "" : "outside"}` }, row.gap);
  const ended = row.ended ? el("td", { title: new Date(row.ended).toLocaleString() }, when(row.ended)) : el("td", { class: "muted" }, "with the release");
  return el("tr", {}, el("th", { scope: "row" }, String(row.seed)), number(row.predicted), number(row.measured), gap, ended, el("td", {}, row.stack), el("td", {}, run(row)));
}

function run(row) {
  if (!row.href) return el("span", { class: "muted" }, row.place);
  return el("a", { href: row.href, target: "_blank", rel: "noopener noreferrer", "aria-label": `Run ${row.run} in MLflow` }, row.run, " ↗");
}

function when(then) {
  const told = { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" };
  return Date.now() - then < 3600000 ? ago(then) : new Date(then).toLocaleString("en-GB", told);
}

function fallen(failures) {
  if (!failures.length) return [];
  const items = failures.map((one) => {
    const link = one.href ? el("a", { href: one.href, target: "_blank", rel: "noopener noreferrer" }, "in MLflow ↗") : "";
    return el("li", {}, el("b", {}, `Seed ${one.seed} ${one.status}`), el("span", { class: "muted" }, when(one.ended)), link, el("code", {}, one.message || "It said nothing: it was killed."));
  });
  return [el("h3", {}, "Trials that did not finish"), el("ul", { class: "fallen" }, ...items)];
}
