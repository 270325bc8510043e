// A snapshot's text is small: its picture grows in place, by button, by + and −, and back by 0. Without this
// file a click on the picture still opens it whole.

const LEAST = 1;
const MOST = 5;
const STEP = 1;

for (const figure of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".pictures figure"))) {
  const link = figure.querySelector("a");
  const picture = figure.querySelector("img");
  if (!link || !picture) continue;
  let times = LEAST;

  const frame = document.createElement("div");
  link.before(frame);
  frame.append(link);

  const bar = document.createElement("p");
  bar.className = "zoom";
  const said = document.createElement("output");

  /** Show the picture at a size, the same spot staying in the middle. @param {number} wanted */
  function zoom(wanted) {
    const before = times;
    times = Math.min(MOST, Math.max(LEAST, wanted));
    const middle = [frame.scrollLeft + frame.clientWidth / 2, frame.scrollTop + frame.clientHeight / 2];
    frame.classList.toggle("zoomed", times > LEAST);
    frame.style.setProperty("--times", String(times));
    frame.tabIndex = times > LEAST ? 0 : -1;
    frame.scrollLeft = middle[0] * times / before - frame.clientWidth / 2;
    frame.scrollTop = middle[1] * times / before - frame.clientHeight / 2;
    said.textContent = `${times * 100} %`;
    smaller.disabled = times === LEAST;
    larger.disabled = times === MOST;
  }

  /** @param {string} text @param {string} name @param {() => void} act */
  function button(text, name, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "quiet";
    made.textContent = text;
    made.setAttribute("aria-label", name);
    made.addEventListener("click", act);
    bar.append(made);
    return made;
  }

  const smaller = button("−", "Show the picture smaller", () => zoom(times - STEP));
  bar.append(said);
  const larger = button("+", "Show the picture larger", () => zoom(times + STEP));
  frame.before(bar);
  frame.setAttribute("role", "group");
  frame.setAttribute("aria-label", "Snapshot, to be scrolled when it is larger");
  zoom(LEAST);

  figure.addEventListener("keydown", (event) => {
    const wanted = { "+": times + STEP, "=": times + STEP, "-": times - STEP, "0": LEAST }[event.key];
    if (wanted === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    zoom(wanted);
  });

  /** @type {{ x: number, y: number, left: number, top: number } | null} */
  let held = null;
  frame.addEventListener("pointerdown", (event) => {
    if (times > LEAST) held = { x: event.clientX, y: event.clientY, left: frame.scrollLeft, top: frame.scrollTop };
  });
  window.addEventListener("pointermove", (event) => {
    if (!held) return;
    frame.scrollLeft = held.left + held.x - event.clientX;
    frame.scrollTop = held.top + held.y - event.clientY;
  });
  window.addEventListener("pointerup", () => { held = null; });
  frame.addEventListener("dragstart", (event) => event.preventDefault());
  link.addEventListener("click", (event) => {
    if (times > LEAST) event.preventDefault(); // the end of a drag opens nothing
  });
}
