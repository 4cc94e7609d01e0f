// What the pages can do beyond showing: filter and sort all packages, and put this site's address into snippets.
// Without it everything is there, page by page.
"use strict";
(() => {
  const ROWS = 200;
  const WORDS = { i: ["identical", "=", "identical"], n: ["normalized", "≈", "normalizes"],
    p: ["payload", "~", "same payload"], d: ["different", "≠", "different"], f: ["failed", "×", "not built"],
    "-": ["none", "–", "not tried"] };
  const ORDER = "inpdf-";
  const [NAME, STEM, VERSION, RANK, BACKEND, PURE, WAYS, STANDING, LABEL, CAUSES, DATE] = Array(11).keys();

  const make = (tag, className, ...children) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    node.append(...children);
    return node;
  };
  const link = (href, text, className) => {
    const node = make("a", className, text);
    node.href = href;
    return node;
  };
  const cut = (text, width) => {
    if (text.length <= width) return text;
    const head = (width - 3) >> 1;
    return text.slice(0, head) + "..." + text.slice(text.length - (width - 3 - head));
  };
  const counted = number => number.toLocaleString("en");

  for (const snippet of document.querySelectorAll(".snippet")) {
    const at = location.href.split(/[?#]/)[0].lastIndexOf(snippet.dataset.path);
    if (location.protocol.startsWith("http") && at > 0)
      snippet.textContent = snippet.textContent.replaceAll("https://ADDRESS.OF.THIS.SITE/", location.href.slice(0, at));
  }

  const form = document.getElementById("filter");
  if (!form) return;
  const table = document.getElementById("packages");
  const body = table.tBodies[0];
  const status = document.getElementById("matches");
  const switcher = document.getElementById("switch");
  const pager = document.getElementById("pager");
  const heads = [...table.querySelectorAll("th[data-sort]")];
  const still = { rows: [...body.rows], pager: [...pager.childNodes], status: status.textContent };
  let data = null, waiting = false, sort = "", down = false, first = 0;

  // Rows, in the shape that the static pages have.
  const mark = letter => {
    const [key, glyph, text] = WORDS[letter];
    const sign = make("span", "glyph", glyph);
    sign.setAttribute("aria-hidden", "true");
    return make("span", "o " + key, sign, " " + text);
  };
  const shown = row => {
    const stem = row[STEM] || row[NAME];
    const head = make("th", "", link(`../package/${stem}.html`, cut(row[NAME], 60) || "(no name)", "name"), " ",
      make("span", "version", cut(row[VERSION], 24)));
    head.scope = "row";
    const ways = data.standings[row[STANDING]] === "unknown"
      ? [make("td", "soft", data.labels[row[LABEL]])]
      : [...row[WAYS]].map(letter => make("td", "", mark(letter)));
    if (ways.length === 1) ways[0].colSpan = row[WAYS].length;
    const codes = make("td", "codes");
    for (const at of row[CAUSES]) codes.append(link(`../cause/${data.causes[at][1]}.html`, data.causes[at][0]), " ");
    return make("tr", "", make("td", "number", row[RANK] === null ? "–" : counted(row[RANK])), head,
      ...ways, codes, make("td", "", cut(data.backends[row[BACKEND]], 24)),
      make("td", "", ["–", "pure", "extension"][row[PURE]]), make("td", "number", row[DATE]));
  };

  // What is wanted.
  const wanted = () => {
    const found = {};
    for (const [name, value] of new FormData(form)) if (value.trim()) found[name] = value.trim();
    return found;
  };
  const normalized = text => text.toLowerCase().replace(/[-_.]+/g, "-");
  const test = want => {
    const q = want.q && normalized(want.q);
    const backend = want.backend === undefined ? -1 : data.backends.indexOf(want.backend);
    const cause = want.cause === undefined ? -1 : data.causes.findIndex(one => one[0] === want.cause);
    const standing = want.verdict === undefined ? -1 : data.standings.indexOf(want.verdict);
    const kind = { pure: 1, extension: 2 }[want.kind];
    return row =>
      (!q || normalized(row[NAME]).includes(q)) &&
      (want.backend === undefined || row[BACKEND] === backend) &&
      (want.cause === undefined || row[CAUSES].includes(cause)) &&
      (want.kind === undefined || row[PURE] === kind) &&
      (want.verdict === undefined || (standing >= 0 ? row[STANDING] === standing
        : row[WAYS][want.verdict[0]] === want.verdict[1] && data.standings[row[STANDING]] !== "unknown"));
  };
  const KEYS = {
    rank: row => row[RANK] === null ? Infinity : row[RANK],
    name: row => row[NAME],
    backend: row => data.backends[row[BACKEND]],
    kind: row => row[PURE] || 3,
    causes: row => row[CAUSES].length,
    date: row => row[DATE],
  };
  for (const at of [0, 1, 2, 3, 4])
    KEYS["way" + at] = row => data.standings[row[STANDING]] === "unknown" ? 9 : ORDER.indexOf(row[WAYS][at]);

  const sorted = rows => {
    if (!sort) return rows;
    const keys = new Map(rows.map(row => [row, KEYS[sort](row)]));
    const sign = down ? -1 : 1;
    return [...rows].sort((one, other) => {
      const [a, b] = [keys.get(one), keys.get(other)];
      return a < b ? -sign : a > b ? sign : 0;
    });
  };

  const button = (text, disabled, press) => {
    const node = make("button", "", text);
    node.type = "button";
    node.disabled = disabled;
    node.addEventListener("click", press);
    return node;
  };
  const turn = to => { first = to; show(); table.scrollIntoView(); };

  const show = () => {
    const want = wanted();
    if (!sort && !Object.keys(want).length) return restore();
    if (!data) return load();
    const rows = sorted(data.rows.filter(test(want)));
    if (first >= rows.length) first = 0;
    const some = rows.slice(first, first + ROWS);
    body.replaceChildren(...some.map(shown));
    switcher.hidden = true;
    status.textContent = !rows.length ? "No package matches."
      : `${counted(first + 1)}–${counted(first + some.length)} of ${counted(rows.length)} that match, ` +
        `of ${counted(data.rows.length)} packages`;
    pager.replaceChildren(...rows.length <= ROWS ? [] : [make("p", "pager",
      button("Previous", first === 0, () => turn(first - ROWS)),
      button("Next", first + ROWS >= rows.length, () => turn(first + ROWS)))]);
    for (const head of heads) {
      if (head.dataset.sort === sort) head.setAttribute("aria-sort", down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
  };
  const restore = () => {
    body.replaceChildren(...still.rows);
    switcher.hidden = false;
    pager.replaceChildren(...still.pager);
    status.textContent = still.status;
    for (const head of heads) head.removeAttribute("aria-sort");
    const own = heads.find(head => head.dataset.sort === table.dataset.order);
    if (own) own.setAttribute("aria-sort", "ascending");
  };

  // Pages opened from a disk may not fetch, but they may load a script.
  const load = () => {
    if (waiting) return;
    waiting = true;
    status.textContent = "Loading all packages …";
    const script = document.createElement("script");
    script.src = "data.js";
    script.addEventListener("error", () => {
      waiting = false;
      status.textContent = "The list of packages could not be loaded; the pages below have them all.";
    });
    document.head.append(script);
  };
  window.samebytesSurvey = given => { data = given; show(); };

  // The address keeps what is wanted, so that it can be linked and gone back to.
  const remember = () => {
    const hash = new URLSearchParams(wanted());
    if (sort) hash.set("sort", (down ? "-" : "") + sort);
    history.replaceState(null, "", String(hash) ? "#" + hash : location.pathname + location.search);
  };
  const recall = () => {
    const hash = new URLSearchParams(location.hash.slice(1));
    for (const field of form.elements) {
      if (!field.name) continue;
      const value = hash.get(field.name) || "";
      if (value && field.options && ![...field.options].some(option => option.value === value))
        field.append(new Option(cut(value, 60), value));
      field.value = value;
    }
    const given = hash.get("sort") || "";
    down = given.startsWith("-");
    sort = KEYS[given.replace("-", "")] ? given.replace("-", "") : "";
    first = 0;
    show();
  };

  let timer = 0;
  const change = () => { first = 0; remember(); show(); };
  form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(change, 120); });
  form.addEventListener("submit", event => { event.preventDefault(); clearTimeout(timer); change(); });
  form.addEventListener("reset", () => { sort = ""; down = false; setTimeout(change); });
  window.addEventListener("hashchange", recall);
  for (const head of heads) {
    const press = make("button", "", ...(head.querySelector("a") || head).childNodes);
    press.type = "button";
    press.addEventListener("click", () => {
      down = head.getAttribute("aria-sort") === "ascending";
      sort = head.dataset.sort;
      change();
    });
    head.replaceChildren(press);
  }
  form.hidden = false;
  if (location.hash.length > 1) recall();
})();
