"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const make = (tag, props, ...children) => {
    const e = Object.assign(document.createElement(tag), props);
    e.append(...children);
    return e;
  };
  // As the rest of the report writes sizes: powers of 1000, two digits.
  const size = (n) => {
    const units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let i = 0;
    while (n >= 999.5 && i < units.length - 1 || i === 0 && n >= 1000) { n /= 1000; i++; }
    return (i > 0 && n < 9.95 ? n.toFixed(1) : String(Math.round(n))) + " " + units[i];
  };
  const comma = (n) => n.toLocaleString("en-US");
  const exact = (n) => n === 1 ? "1 byte" : comma(n) + " bytes";
  const total = (n) => n.v + n.w;
  const mostKids = 300; // of a folder on the map
  const pageOfRows = 100; // of a folder in the tree
  const packageRows = 30; // of the table of packages, at first

  let data, root, byPath, rows, state = {}, turn = 0, reveal = false;

  // The page shows itself before the figures are read.
  requestAnimationFrame(() => setTimeout(() => {
    data = JSON.parse($("data").textContent);
    build();
    $("map-section").hidden = $("search-box").hidden = data.folders.length + data.waste.length === 0;
    listen();
    draw();
    document.documentElement.dataset.ready = "";
  }));

  // The address holds the state, so that Back works and a view can be sent.
  function read() {
    const hash = location.hash.slice(1), p = new URLSearchParams(hash), number = hash.match(/^layer-(\d+)$/)?.[1] ?? p.get("layer");
    const layer = /^\d+$/.test(number ?? "") && data.layers[number] ? Number(number) : -1;
    return { layer, path: p.get("path") || "/", hides: layer >= 0 && p.has("hides"), search: p.get("search") || "", type: p.get("type") || "" };
  }
  function go(change, replace) {
    const next = { ...read(), ...change }, p = new URLSearchParams();
    if (next.layer >= 0) p.set("layer", next.layer);
    if (next.path !== "/") p.set("path", next.path);
    if (next.hides && next.layer >= 0) p.set("hides", "");
    if (next.search) p.set("search", next.search);
    if (next.type) p.set("type", next.type);
    if (replace) location.replace("#" + p); else location.hash = p;
  }

  // The tree has the listed folders, whose figures are given, and those in which a
  // wasted file is, whose figures are the sums of these files.
  function build() {
    const add = (path, parent) => {
      const n = { path, parent, name: path.slice(path.lastIndexOf("/") + 1) || "/", kids: [], rows: [], v: 0, w: 0, files: 0 };
      byPath.set(path, n);
      if (parent) parent.kids.push(n);
      return n;
    };
    const at = (path) => byPath.get(path) || add(path, at(path.slice(0, path.lastIndexOf("/")) || "/"));
    byPath = new Map();
    root = add("/", null);
    for (const [path, visible, wasted, files, layers] of data.folders) Object.assign(at(path), { listed: { visible, wasted, files, layers } });
    const folders = data.wasteFolders.map((f) => at(f.slice(0, -1) || "/"));
    const listed = folders.map((f) => new Map(f.kids.filter((k) => k.listed).map((k) => [k.name, k])));
    rows = data.waste.map(([f, name, bytes, cause, stored, hidden]) => {
      const own = listed[f].get(name), row = { name, bytes, cause, stored, hidden, own: own !== undefined, at: own || folders[f] };
      row.at.rows.push(row);
      return row;
    });
  }

  const counts = (r) => state.layer < 0 || (state.hides ? r.hidden : r.stored) === state.layer;

  // sums computes every folder's figures for the selected layer.
  function sums() {
    turn++;
    for (const n of byPath.values()) {
      n.v = n.w = n.files = 0;
      if (!n.listed || state.hides) continue;
      const l = n.listed.layers.find((x) => x[0] === state.layer);
      [n.v, n.w, n.files] = state.layer < 0 ? [n.listed.visible, n.listed.wasted, n.listed.files] : l ? [l[1], l[2], 0] : [0, 0, 0];
    }
    for (const n of byPath.values()) if (n.listed && !state.hides) for (let up = n.parent; up && !up.listed; up = up.parent) { up.v += n.v; up.w += n.w; up.files += n.files; }
    for (const r of rows) if (counts(r)) for (let n = r.at; n && (state.hides || !n.listed); n = n.parent) { n.w += r.bytes; n.files++; }
  }

  const pathOf = (r) => (r.at.path === "/" ? "" : r.at.path) + "/" + r.name;
  const collect = (leaves, r, path) => {
    let leaf = leaves.get(path);
    if (!leaf) leaves.set(path, leaf = { name: r.name, path, parent: r.at, leaf: true, v: 0, w: 0, files: 0, rows: [] });
    leaf.w += r.bytes; leaf.files++; leaf.rows.push(r);
  };

  // below returns what a folder holds, the largest first.
  function below(n) {
    if (n.turn === turn) return n.items;
    const leaves = new Map(), items = n.kids ? n.kids.filter((k) => total(k) > 0) : [];
    for (const r of n.rows || []) {
      if (r.own || !counts(r)) continue;
      collect(leaves, r, pathOf(r));
    }
    items.push(...leaves.values());
    if (items.length) {
      const rest = { name: "smaller files", path: n.path + "#", rest: true, leaf: true, v: n.v, w: n.w, files: n.files, rows: [] };
      for (const i of items) { rest.v -= i.v; rest.w -= i.w; rest.files -= i.files; }
      rest.v = Math.max(rest.v, 0); rest.w = Math.max(rest.w, 0);
      if (total(rest) > 0) items.push(rest);
    }
    n.turn = turn;
    return n.items = items.sort((a, b) => (a.rest ? 1 : 0) - (b.rest ? 1 : 0) || total(b) - total(a));
  }

  // find returns the node at a path, or the innermost folder that contains it.
  function find(path) {
    for (;;) {
      if (byPath.has(path)) return byPath.get(path);
      const up = path.slice(0, Math.max(path.lastIndexOf("/"), 0)) || "/", leaf = byPath.has(up) && below(byPath.get(up)).find((i) => i.path === path);
      if (leaf) return leaf;
      path = up;
    }
  }

  const layerLink = (i) => make("a", { className: "layer", href: "#layer-" + i, title: data.layers[i][0], ariaLabel: "layer " + i, textContent: i });
  const bar = (n, of) => {
    const b = make("span", { className: "bar" }, make("i"), make("i"));
    b.style.display = "block";
    b.children[0].style.width = 100 * n.v / of + "%";
    b.children[1].style.width = 100 * n.w / of + "%";
    return b;
  };
  const open = new Map([["/", pageOfRows]]); // the open folders, and how many rows each of them shows

  let pathDrawn = "";
  function draw() {
    const was = state;
    state = read();
    if (turn === 0 || was.layer !== state.layer || was.hides !== state.hides) {
      sums();
      filter();
    }
    if (pathDrawn !== state.path) {
      pathDrawn = state.path;
      for (let n = find(state.path); n; n = n.parent) if (!n.leaf) open.set(n.path, open.get(n.path) || pageOfRows);
    }
    const aim = /^#(finding|line)-\d+$/.test(location.hash) && $(location.hash.slice(1));
    if (aim) {
      for (let e = aim; e; e = e.parentElement) if (e.localName === "details") e.open = true;
      aim.scrollIntoView();
    }
    if (data.packages && (was.type !== state.type || was.layer !== state.layer)) packages(packageRows);
    if ($("search").value !== state.search) $("search").value = state.search;
    if ($("map-section").hidden) return;
    map();
    tree();
    if (reveal) ($("rows").querySelector("[aria-current]") || $("where")).scrollIntoView({ block: "center" });
    reveal = false;
  }

  function filter() {
    const { layer, hides } = state, on = layer >= 0;
    for (const e of document.querySelectorAll(".whole g")) e.classList.toggle("off", on && e.dataset.layer !== String(layer));
    for (const e of document.querySelectorAll(".layers li")) if (e.dataset.layer === String(layer)) e.setAttribute("aria-current", "true"); else e.removeAttribute("aria-current");
    for (const e of document.querySelectorAll(".finding")) e.hidden = on && !e.dataset.layers.split(" ").includes(String(layer));
    for (const e of document.querySelectorAll(".block[data-layers]")) if (on && e.dataset.layers.split(" ").includes(String(layer))) e.setAttribute("aria-current", "true"); else e.removeAttribute("aria-current");
    $("filter").hidden = !on;
    if (!on) return;
    const [command, visible, wasted, hidden] = data.layers[layer], all = document.querySelectorAll(".finding").length;
    $("filter-said").replaceChildren("Only layer ", layerLink(layer), ` ${command.length > 90 ? command.slice(0, 90) + "…" : command} · stores ${size(visible + wasted)}` + (hidden ? `, hides ${size(hidden)} of lower layers` : "") + (all ? ` · ${document.querySelectorAll(".finding:not([hidden])").length} of ${all} findings` : ""));
    $("hides").hidden = !hidden;
    $("hides").setAttribute("aria-pressed", hides);
  }

  function tree() {
    const list = $("rows"), out = [], of = Math.max(total(root), 1);
    const focused = list.contains(document.activeElement) ? document.activeElement.closest("tr").dataset.path : null;
    const row = (n, depth, name) => {
      const folder = !n.leaf && below(n).length > 0, tr = make("tr", { tabIndex: -1 });
      tr.node = n;
      tr.dataset.path = n.path;
      tr.ariaLevel = depth + 1;
      if (folder) tr.ariaExpanded = open.has(n.path);
      if (n.path === state.path && n.path !== "/") tr.setAttribute("aria-current", "true");
      const first = make("td"), text = make("code", { textContent: name || n.name });
      first.style.paddingLeft = Math.min(depth, 12) * 1.1 + "rem";
      const twist = make("button", { type: "button", tabIndex: -1, textContent: folder ? (open.has(n.path) ? "▾" : "▸") : "", ariaHidden: "true" });
      twist.disabled = !folder;
      first.append(twist, n.rest || !folder ? text : make("a", { tabIndex: -1, href: "#" }, text));
      const why = make("span", { className: "why" });
      if (n.rows?.length && !folder) {
        const r = n.rows.find(counts) || n.rows[0];
        why.append(n.rows.length > 1 ? `${n.rows.length} times, ` : "", `${r.cause}, stored in `, layerLink(r.stored), " hidden by ", layerLink(r.hidden));
      } else if (n.listed && n !== root && state.layer < 0) {
        const top = n.listed.layers.slice().sort((a, b) => b[1] + b[2] - a[1] - a[2]);
        why.append(n.files > 1 ? comma(n.files) + " files, " : "", "stored in ");
        top.slice(0, 3).forEach((l) => why.append(layerLink(l[0]), " "));
        if (top.length > 3) why.append(`and ${top.length - 3} more`);
      } else if (n.files > 1 && n !== root) why.append(comma(n.files) + " files");
      if (why.childNodes.length) first.append(why);
      tr.append(first, make("td", { className: "share", title: (100 * total(n) / of).toFixed(1) + "%" }, bar(n, of)),
        make("td", { className: "num", textContent: size(total(n)), title: exact(total(n)) }), make("td", { className: "num", textContent: n.w ? size(n.w) : "", title: exact(n.w) }));
      out.push(tr);
      return folder;
    };
    const walk = (n, depth) => {
      if (!row(n, depth) || !open.has(n.path)) return;
      const items = below(n), shown = open.get(n.path);
      for (const i of items.slice(0, shown)) walk(i, depth + 1);
      if (items.length > shown) more(items.length - shown, () => { open.set(n.path, shown + 5 * pageOfRows); tree(); });
    };
    const more = (n, onclick) => out.push(make("tr", { tabIndex: -1 }, make("td", { colSpan: 4 }, make("button", { type: "button", className: "wide", textContent: comma(n) + " more", onclick }))));
    if (state.search) {
      const text = state.search.toLowerCase(), leaves = new Map();
      for (const r of rows) if (!r.own && counts(r)) {
        const path = pathOf(r);
        if (path.toLowerCase().includes(text)) collect(leaves, r, path);
      }
      const folders = [...byPath.values()].filter((n) => n !== root && total(n) > 0 && n.path.toLowerCase().includes(text));
      const all = [...folders, ...leaves.values()].sort((a, b) => total(b) - total(a));
      all.slice(0, pageOfRows).forEach((n) => row(n, 0, n.path));
      out.push(make("tr", {}, make("td", { colSpan: 4, textContent: all.length ? `${comma(all.length)} found` + (all.length > pageOfRows ? `, the largest ${pageOfRows} listed` : "") : "Nothing found" })));
    } else walk(root, 0);
    list.replaceChildren(...out);
    const to = out.find((tr) => focused !== null && tr.dataset.path === focused) || out.find((tr) => tr.ariaCurrent) || out[0];
    if (to) to.tabIndex = 0;
    if (to && focused !== null) to.focus({ preventScroll: true });
  }

  function map() {
    const n = find(state.path), at = n.leaf || !below(n).length ? n.parent || n : n, said = $("map-said");
    const items = below(at), shown = items.length ? items : total(at) ? [at] : [];
    tiles($("treemap"), shown);
    said.textContent = !shown.length ? "Nothing here." : n.path === state.path ? `${n.path}: ${words(n)}` : `${state.path} is too small to be listed; this is ${n.path}`;
    const chain = [];
    for (let f = at; f; f = f.parent) chain.unshift(f === at ? make("b", { textContent: f.name }) : folderLink(f));
    $("crumbs").replaceChildren(...chain.flatMap((c, i) => i > 1 ? ["/", c] : [c]));
  }
  // tiles draws items on a map.
  function tiles(box, items) {
    const width = box.clientWidth, height = box.clientHeight, inside = box.contains(document.activeElement);
    const all = fit(items, width, height).map(([i, x, y, w, h]) => tile(i, x, y, w, h, 0, width, height));
    box.replaceChildren(...all);
    all.forEach((t, i) => { t.lastChild.tabIndex = i ? -1 : 0; });
    if (inside && all.length) all[0].lastChild.focus({ preventScroll: true });
  }
  // A report of an earlier version has no folders, and what is visible is unknown.
  const words = (n) => (data.folders.length ? `${size(n.v)} visible, ` : "") + `${size(n.w)} wasted`;
  const folderLink = (n) => make("a", { href: "#", textContent: n.name, onclick: (e) => { e.preventDefault(); go({ path: n.path }); } });

  // packages shows the packages of the selected layer and type: the map of all types or
  // of one, and a table of as many rows as asked for. What is not in any package is a
  // tile too.
  function packages(most) {
    const { layer, type } = state, on = layer >= 0, types = new Map(), leaves = [], none = { name: "in no package", path: "in no package", leaf: true, v: 0, w: 0 };
    for (const [, visible, wasted] of on ? [data.layers[layer]] : data.layers) { none.v += visible; none.w += wasted; }
    const figures = (visible, wasted, layers) => {
      if (!on) return [visible, wasted];
      const l = layers.find((x) => x[0] === layer);
      return l ? [l[1], l[2]] : [0, 0];
    };
    const add = (kind, leaf) => {
      if (!types.has(kind)) types.set(kind, { name: kind, path: kind, kind, items: [], turn, v: 0, w: 0 });
      const t = types.get(kind);
      t.v += leaf.v; t.w += leaf.w; none.v -= leaf.v; none.w -= leaf.w;
      if (total(leaf) > 0) t.items.push(leaf);
    };
    let others = 0, othersBytes = 0;
    for (const [kind, name, version, visible, wasted, broughtBy, removedBy, layers, where] of data.packages) {
      const [v, w] = figures(visible, wasted, layers), leaf = { name, path: `${kind} ${name} ${version}`, leaf: true, kind, version, where, v, w, broughtBy, removedBy, layers, ofBase: broughtBy < data.baseLayers };
      add(kind, leaf);
      if ((!type || kind === type) && (!on || layers.some((l) => l[0] === layer) || broughtBy === layer || removedBy === layer)) leaves.push(leaf);
    }
    for (const [kind, n, visible, wasted, layers] of data.otherPackages) {
      const [v, w] = figures(visible, wasted, layers);
      add(kind, { name: comma(n) + " smaller packages", rest: true, leaf: true, v, w });
      if ((!type || kind === type) && (!on || v + w > 0)) { others += n; othersBytes += v + w; }
    }
    for (const t of types.values()) t.items.sort((a, b) => total(b) - total(a));
    leaves.sort((a, b) => total(b) - total(a));
    const one = types.get(type), shown = (one ? one.items : [...types.values(), none]).filter((i) => total(i) > 0).sort((a, b) => total(b) - total(a));
    $("package-map-section").hidden = false;
    tiles($("package-map"), shown);
    const brought = leaves.filter((p) => p.broughtBy === layer).length, removed = leaves.filter((p) => p.removedBy === layer).length, sum = { v: 0, w: 0 };
    for (const i of shown) if (i !== none) { sum.v += i.v; sum.w += i.w; }
    $("package-map-said").textContent = `${type || "All packages"}: ${words(sum)}` + (on ? `, stored by layer ${layer}, which brought ${comma(brought)} of them and removed ${comma(removed)}` : "") + (type ? "" : `; in no package: ${words(none)}`);
    const link = make("a", { href: "#", textContent: "all packages", onclick: (e) => { e.preventDefault(); go({ type: "" }); } });
    $("package-crumbs").replaceChildren(...type ? [link, "/", make("b", { textContent: type })] : [make("b", { textContent: "all packages" })]);
    const rows = leaves.slice(0, most).map((p) => {
      const first = make("td", {}, make("code", { textContent: p.name }), " ", make("span", { className: "dim", textContent: p.version + (p.ofBase ? ", of the base" : "") + (p.where ? ", " + p.where : "") }));
      if (p.removedBy >= 0) first.append(" ", make("span", { className: "badge warn", textContent: "removed by layer " + p.removedBy }));
      const stored = make("td", { className: "in" });
      p.layers.slice(0, 4).forEach((l) => stored.append(layerLink(l[0]), " "));
      if (p.layers.length > 4) stored.append(`and ${p.layers.length - 4} more`);
      return make("tr", {}, first, make("td", { textContent: p.kind }), make("td", { className: "num", textContent: size(p.v), title: exact(p.v) }), make("td", { className: "num", textContent: p.w ? size(p.w) : "", title: exact(p.w) }), make("td", {}, layerLink(p.broughtBy)), stored);
    });
    const end = (...what) => rows.push(make("tr", {}, make("td", { colSpan: 6 }, ...what)));
    if (leaves.length > most) end(make("button", { type: "button", className: "wide", textContent: comma(leaves.length - most) + " more", onclick: () => packages(most + pageOfRows) }));
    else if (others) end(`and ${comma(others)} smaller packages${on ? " in the image" : ""}, ${size(othersBytes)}: `, make("code", { textContent: "fathom packages" }), " lists all");
    else if (!rows.length) end("No package");
    $("package-rows").replaceChildren(...rows);
  }

  // fit returns the places of the items that are large enough to draw; the others are
  // one tile at the end.
  function fit(items, w, h) {
    const all = items.reduce((s, i) => s + total(i), 0), big = items.filter((i, n) => n < mostKids && total(i) / all * w * h >= 30), rest = { name: items[0]?.kind ? "smaller packages" : "smaller files", rest: true, leaf: true, v: 0, w: 0 };
    for (const i of items) if (!big.includes(i)) { rest.v += i.v; rest.w += i.w; }
    if (total(rest) / all * w * h >= 30) big.push(rest);
    return place(big.sort((a, b) => total(b) - total(a)), 0, 0, w, h);
  }

  // tile makes a tile; its place is in percent of what contains it, to fit paper too.
  function tile(i, x, y, w, h, depth, outerWidth, outerHeight) {
    let name = i.name;
    for (let only = i.leaf ? [] : below(i); only.length === 1 && !only[0].leaf; only = below(i)) {
      i = only[0];
      name += "/" + i.name;
    }
    const t = make("div", { className: "tile", title: `${i.rest ? i.name : i.path}\n${words(i)}` });
    t.node = i;
    Object.assign(t.style, { left: 100 * x / outerWidth + "%", top: 100 * y / outerHeight + "%", width: 100 * w / outerWidth + "%", height: 100 * h / outerHeight + "%" });
    const inner = !i.leaf && w > 36 && h > 36 ? below(i) : [];
    if (!i.leaf) t.classList.add("folder");
    if (i.rest) t.classList.add("rest");
    if (i.ofBase) t.classList.add("from-base");
    if (inner.length) {
      t.classList.add("open");
      for (const [c, cx, cy, cw, ch] of fit(inner, w - 8, h - 25)) t.append(tile(c, cx + 3, cy + 20, cw, ch, depth + 1, w - 2, h - 2));
    } else if (i.w > 0) {
      const part = make("span", { className: "w" }), share = 100 * i.w / total(i) + "%";
      Object.assign(part.style, w > h ? { width: share, top: 0, right: 0, left: "auto" } : { height: share, right: 0 });
      t.append(part);
    }
    if (w > 30 && h > 16) t.append(make("span", { className: "t" }, make("b", { textContent: name }), " " + size(total(i))));
    if (depth) return t;
    for (const c of t.children) c.ariaHidden = "true";
    t.append(make("button", { type: "button", ariaLabel: `${name}: ${words(i)}` + (i.leaf ? "" : ", opens") }));
    return t;
  }

  // Squarified: a row takes one more as long as that makes its areas squarer.
  function place(items, x, y, w, h) {
    const out = [];
    let sum = items.reduce((s, i) => s + total(i), 0);
    for (let at = 0; at < items.length && w > 0 && h > 0;) {
      const side = Math.min(w, h), scale = w * h / sum;
      let n = at, part = 0, worst = Infinity;
      for (; n < items.length; n++) {
        const s = part + total(items[n]), thick = s * scale / side;
        const ratio = Math.max(...[items[at], items[n]].map((i) => { const l = total(i) * scale / thick; return Math.max(l / thick, thick / l); }));
        if (ratio > worst) break;
        worst = ratio; part = s;
      }
      const thick = part * scale / side;
      let along = 0;
      for (; at < n; at++) {
        const len = total(items[at]) * scale / thick;
        out.push(w >= h ? [items[at], x, y + along, thick, len] : [items[at], x + along, y, len, thick]);
        along += len;
      }
      if (w >= h) { x += thick; w -= thick; } else { y += thick; h -= thick; }
      sum -= part;
    }
    return out;
  }

  function listen() {

    window.onhashchange = draw;
    $("hides").onclick = () => go({ hides: !state.hides });
    $("all").onclick = (e) => { e.preventDefault(); go({ layer: -1 }); };
    $("search").oninput = (e) => go({ search: e.target.value }, true);
    for (const a of document.querySelectorAll("a.layer")) a.title = data.layers[a.textContent][0];
    document.onclick = (e) => {
      const layer = e.target.closest("a.layer, .whole g"), path = e.target.closest("a.path");
      if (!layer && !path || e.ctrlKey || e.metaKey || e.shiftKey) return;
      e.preventDefault();
      if (path) go({ path: new URLSearchParams(path.hash.slice(1)).get("path"), layer: -1, search: "" });
      else {
        const i = Number(layer.dataset.layer ?? layer.textContent);
        const [, visible, wasted, hidden] = data.layers[i];
        go({ layer: i === state.layer && layer.closest(".layers, .whole") ? -1 : i, hides: visible + wasted === 0 && hidden > 0 });
      }
      if (path) reveal = true;
      else if (!layer.closest(".columns, .whole")) $("where").scrollIntoView();
    };
    // A map: a click or enter opens, the arrow keys move, backspace leaves.
    const listenTo = (box, said, again, pick, up) => {
      let width = 0;
      new ResizeObserver(() => { if (box.clientWidth !== width) { width = box.clientWidth; again(); } }).observe(box);
      box.onclick = (e) => { const n = e.target.closest(".tile")?.node; if (n) pick(n); };
      box.addEventListener("focusin", (e) => { const n = e.target.parentElement.node; if (n) said.textContent = `${n.rest ? n.name : n.path}: ${words(n)}`; });
      box.onkeydown = (e) => {
        const tiles = [...box.children].map((t) => t.lastChild), now = document.activeElement;
        if (e.key === "Backspace" || e.key === "Escape") {
          e.preventDefault();
          up();
          return;
        }
        const d = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key];
        let next = e.key === "Home" ? tiles[0] : e.key === "End" ? tiles[tiles.length - 1] : null;
        if (d && tiles.includes(now)) {
          const mid = ({ parentElement: t }) => [t.offsetLeft + t.offsetWidth / 2, t.offsetTop + t.offsetHeight / 2], [cx, cy] = mid(now);
          let best = Infinity;
          for (const t of tiles) {
            const [tx, ty] = mid(t), ahead = (tx - cx) * d[0] + (ty - cy) * d[1], aside = Math.abs((tx - cx) * d[1]) + Math.abs((ty - cy) * d[0]);
            if (t !== now && ahead > 1 && ahead + 2 * aside < best) { best = ahead + 2 * aside; next = t; }
          }
        }
        if (!d && !next) return;
        e.preventDefault();
        focus(tiles, next);
      };
    };
    listenTo($("treemap"), $("map-said"), map, (n) => { if (!n.rest) go({ path: n.path }); }, () => {
      const up = find(state.path).parent;
      if (up) go({ path: up.path });
    });
    if (data.packages) listenTo($("package-map"), $("package-map-said"), () => packages(packageRows), (n) => { if (n.kind) go({ type: n.kind }); }, () => go({ type: "" }));

    if ($("map-section").hidden) return;
    $("rows").parentElement.setAttribute("role", "treegrid");
    const toggle = (n) => { if (open.has(n.path)) open.delete(n.path); else open.set(n.path, pageOfRows); tree(); };
    $("rows").onclick = (e) => {
      const n = e.target.closest("tr")?.node;
      if (!n || e.target.closest("a.layer")) return;
      if (e.target.closest("a")) { e.preventDefault(); go({ path: n.path, search: "" }); }
      else if (e.target.closest("td:first-child") && n && !n.leaf && below(n).length && !state.search) { e.target.closest("tr").focus(); toggle(n); }
    };
    $("rows").onkeydown = (e) => {
      const now = document.activeElement.closest("tr"), all = [...$("rows").children], i = all.indexOf(now), n = now?.node;
      if (!n) return;
      const folder = !n.leaf && below(n).length > 0, up = () => all.slice(0, i).findLast((tr) => tr.node && tr.ariaLevel < now.ariaLevel);
      switch (e.key) {
        case "ArrowDown": focus(all, all[i + 1]); break;
        case "ArrowUp": focus(all, all[i - 1]); break;
        case "Home": focus(all, all[0]); break;
        case "End": focus(all, all[all.length - 1]); break;
        case "ArrowRight": if (folder && !open.has(n.path)) toggle(n); else focus(all, all[i + 1]); break;
        case "ArrowLeft": if (folder && open.has(n.path)) toggle(n); else focus(all, up()); break;
        case "Enter": if (e.target === now && !n.rest) go({ path: n.path }); else return; break;
        default: return;
      }
      e.preventDefault();
    };

    for (const pre of document.querySelectorAll("pre[data-copy]")) {
      const button = make("button", { type: "button", textContent: "Copy" });
      button.onclick = async () => {
        let done = true;
        try { await navigator.clipboard.writeText(pre.textContent); } catch {
          getSelection().selectAllChildren(pre);
          done = document.execCommand("copy");
        }
        button.textContent = done ? "Copied" : "Press Ctrl+C";
        setTimeout(() => { button.textContent = "Copy"; }, 2000);
      };
      pre.previousElementSibling.append(button);
    }
    let closed = [];
    window.onbeforeprint = () => { closed = [...document.querySelectorAll(".finding:not([open]), .fold:not([open])")]; closed.forEach((d) => { d.open = true; }); };
    window.onafterprint = () => closed.forEach((d) => { d.open = false; });
  }
  const focus = (all, to) => {
    if (!to) return;
    all.forEach((t) => { t.tabIndex = t === to ? 0 : -1; });
    to.focus();
  };
})();
