// Shared by the components: elements whose text is text, and the marks of verdicts.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes and children; strings become text nodes, never markup. */
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== "" && value !== null && value !== undefined && value !== false) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== "" && child !== null && child !== undefined));
  return made;
}

function shape(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** A verdict's mark: filled for the reader's own trials, hollow for the authors'; told by its shape alone. */
function mark(verdict, own, size = 14, growth = 0) {
  const half = 4.6 + 2.6 * growth;
  const drawn = shape("svg", { viewBox: "-8 -8 16 16", width: size, height: size, "aria-hidden": "true" });
  drawn.setAttribute("class", `mark ${verdict.replace(" ", "-")} ${own ? "own" : "theirs"}`);
  const parts = {
    holds: () => [shape("circle", { r: 4.6 })],
    gap: () => [shape("path", { d: `M0,${-half - 0.8}L${half + 0.8},0L0,${half + 0.8}L${-half - 0.8},0Z` })],
    inconclusive: () => [
      shape("circle", { r: 4.6, class: "ring" }),
      own ? shape("path", { d: "M0,-4.6A4.6,4.6,0,0,0,0,4.6Z", class: "half" }) : shape("path", { d: "M-4.6,0L4.6,0" }),
    ],
    impossible: () => [
      shape("path", { d: "M-6,-3.6L-3.6,-6L0,-2.4L3.6,-6L6,-3.6L2.4,0L6,3.6L3.6,6L0,2.4L-3.6,6L-6,3.6L-2.4,0Z" }),
    ],
    "not run": () => [shape("path", { d: "M-4,0L4,0", class: "dash" })],
  };
  drawn.append(...(parts[verdict] ?? parts["not run"])());
  return drawn;
}

/** "3 s ago", from Unix milliseconds. */
function ago(then) {
  const seconds = Math.max(0, Math.round((Date.now() - then) / 1000));
  if (seconds < 90) return `${seconds} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86400)} days ago`;
}

/** Let a plain click open a link inside the page; a click with a key held is the browser's. */
function opens(link, told, setTriggerValue) {
  link.addEventListener("click", (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    setTriggerValue("open", told);
  });
  return link;
}

/** A button that copies a command, and says that it did. */
function copies(command) {
  const button = el("button", { class: "copy", type: "button", "aria-label": `Copy: ${command}` }, "Copy");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(command);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  return button;
}

