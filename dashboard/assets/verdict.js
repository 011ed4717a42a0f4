// The top of a claim's page: the way here, the claim's statement, its verdict in a sentence, its siblings.

export default function ({ parentElement, data, setTriggerValue }) {
  let root = parentElement.querySelector(".head");
  if (!root) {
    root = el("div", { class: "head" });
    parentElement.append(root);
  }
  const go = (link, told) => opens(link, told, setTriggerValue);
  const home = go(el("a", { href: "./" }, "Overview"), { page: "overview" });
  const band = go(el("a", { href: `./?mechanism=${data.mechanism}` }, data.path[0]), { page: "overview", mechanism: data.mechanism });
  const path = el("nav", { class: "path", "aria-label": "Where you are" }, home, "/", band, "/", el("span", {}, data.path[1]));
  const siblings = data.siblings.map((one) => {
    const here = one.name === data.name;
    const link = el("a", { href: one.href, "aria-label": one.label, "aria-current": here ? "page" : "" }, mark(one.verdict, one.own, 13, one.growth), el("span", {}, one.name));
    return go(link, { claim: one.claim, variant: "" });
  });
  root.replaceChildren(
    path,
    el("nav", { class: "siblings", "aria-label": "Claims of this lab" }, ...siblings),
    el("h1", { class: data.statement.length > 130 ? "long" : "" }, ...coded(data.statement)),
    verdict(data),
    el("p", { class: "sentence" }, ...coded(data.sentence)),
    data.whose ? el("p", { class: "muted" }, data.whose) : "",
    data.wrong ? el("p", { class: "alert", role: "alert" }, data.wrong) : "",
  );
}

function verdict(data) {
  const word = data.amiss ? `${data.title}: not as it must` : data.title;
  const badge = el("span", { class: `badge ${data.verdict.replace(" ", "-")} ${data.own ? "" : "theirs"}` }, mark(data.verdict, data.own, 15, data.growth), word);
  const roles = { control: "the control", headline: "the verdict that counts", sound: "where it must hold" };
  return el("p", { class: "verdict" }, badge, el("span", {}, "in ", el("b", {}, data.variant), roles[data.role] ? `, ${roles[data.role]}` : ""));
}

/** Words between backticks are set as code. */
function coded(text) {
  return text.split("`").map((part, at) => (at % 2 ? el("code", {}, part) : part));
}
