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
  const exact = (n) => n === 1 ? "1 byte" : n.toLocaleString("en-US") + " bytes";

  // The page shows itself before the figures are read.
  let data;
  requestAnimationFrame(() => setTimeout(() => {
    data = JSON.parse($("data").textContent);
    treemap();
    waste();
    document.documentElement.dataset.ready = "";
  }));

  function treemap() {
    if (!data.folders.length) return;
    $("map-section").hidden = false;
    const nodes = data.folders.map(([path, visible, wasted, pieces, layers]) => ({
      path, pieces, visible, wasted, layers, children: [], name: path === "/" ? "/" : path.slice(path.lastIndexOf("/") + 1),
    }));
    const byPath = new Map(nodes.map((n) => [n.path, n]));
    const root = nodes[0];
    for (const n of nodes.slice(1)) {
      n.parent = byPath.get(n.path.slice(0, n.path.lastIndexOf("/")) || "/") || root;
      n.parent.children.push(n);
    }
    data.layers.forEach((command, i) => $("map-layer").append(make("option", { value: i, textContent: i + ": " + command.slice(0, 60) })));
    let at = root, layer = -1, what = "both", by = "folder";

    const bytes = (n) => {
      let v = n.visible, w = n.wasted;
      if (layer >= 0) {
        const l = n.layers.find((x) => x[0] === layer);
        [v, w] = l ? [l[1], l[2]] : [0, 0];
      }
      return [what === "wasted" ? 0 : v, what === "visible" ? 0 : w];
    };
    // What is listed below a folder, and what it has beyond that.
    const below = (n) => {
      if (!n.children) return [];
      const items = n.children.map((c) => ({ node: c, name: c.name, b: bytes(c), pieces: layer < 0 ? c.pieces : null }));
      let [v, w] = bytes(n), pieces = n.pieces;
      for (const i of items) { v -= i.b[0]; w -= i.b[1]; pieces -= i.node.pieces; }
      if (items.length && v + w > 0) items.push({ name: "(smaller ones)", b: [v, w], pieces: layer < 0 ? pieces : null });
      return sorted(items);
    };
    const sorted = (items) => items.filter((i) => i.b[0] + i.b[1] > 0).sort((a, b) => b.b[0] + b.b[1] - a.b[0] - a.b[1]);
    const layers = () => sorted(data.layers.map((command, i) => {
      const l = root.layers.find((x) => x[0] === i) || [i, 0, 0];
      return { layer: i, name: i + ": " + command, b: [what === "wasted" ? 0 : l[1], what === "visible" ? 0 : l[2]], pieces: null };
    }));
    const opens = (i) => i.layer !== undefined || i.node && i.node.children.length > 0;
    const open = (i) => {
      if (i.layer !== undefined) {
        layer = i.layer; by = "folder";
        $("map-layer").value = layer; $("map-by").value = by;
      } else at = i.node;
      draw(true);
    };
    const up = () => { if (by === "folder" && at.parent) { const from = at; at = at.parent; draw(true, from); } };
    const words = (i) => `${i.name}: ${size(i.b[0])} visible, ${size(i.b[1])} wasted` + (opens(i) ? ", opens" : "");

    function draw(focus, from) {
      const map = $("treemap"), items = by === "layer" ? layers() : below(at);
      if (!items.length && by === "folder" && at.parent === undefined && bytes(root)[0] + bytes(root)[1] > 0) items.push({ name: "/", b: bytes(root), pieces: root.pieces });
      map.replaceChildren();
      const tiles = place(items, 0, 0, map.clientWidth, map.clientHeight).map(([i, x, y, w, h]) => tile(map, i, x, y, w, h, 0, map.clientWidth, map.clientHeight));
      tiles.forEach((t, n) => { t.tabIndex = n ? -1 : 0; });
      $("map-said").textContent = "";
      if (focus && tiles.length) {
        const t = tiles[Math.max(items.findIndex((i) => from && i.node === from), 0)];
        tiles.forEach((o) => { o.tabIndex = o === t ? 0 : -1; });
        t.focus({ preventScroll: true });
      }
      $("crumbs").replaceChildren();
      const chain = [];
      for (let n = at; n; n = n.parent) chain.unshift(n);
      if (by === "folder") chain.forEach((n, i) => {
        if (i > 1) $("crumbs").append("/");
        $("crumbs").append(n === at ? make("b", { textContent: n.name }) : make("button", { type: "button", textContent: n.name, onclick: () => { at = n; draw(true); } }));
      });
      const b = by === "layer" ? bytes({ visible: root.visible, wasted: root.wasted, layers: root.layers }) : bytes(at);
      const said = (by === "layer" ? "All layers" : at.path) + `: ${exact(b[0])} visible, ${exact(b[1])} wasted` + (items.length ? "" : "; nothing here");
      $("map-caption").textContent = said;
      $("map-rows").replaceChildren(...items.map((i) => make("tr", {},
        make("td", { className: "mono" }, opens(i) ? make("button", { type: "button", textContent: i.name, onclick: () => open(i) }) : i.name),
        make("td", { className: "num", textContent: size(i.b[0]), title: exact(i.b[0]) }),
        make("td", { className: "num", textContent: size(i.b[1]), title: exact(i.b[1]) }),
        make("td", { className: "num", textContent: i.pieces === null ? "" : i.pieces.toLocaleString("en-US") }))));
    }

    // Shares of what a tile lies in, so that the map fits paper too.
    function tile(into, i, x, y, w, h, depth, outerWidth, outerHeight) {
      const t = make(depth ? "div" : "button", { className: "tile", title: `${i.node ? i.node.path : i.name}\n${size(i.b[0])} visible, ${size(i.b[1])} wasted` });
      Object.assign(t.style, {
        left: 100 * x / outerWidth + "%", top: 100 * y / outerHeight + "%", width: 100 * w / outerWidth + "%", height: 100 * h / outerHeight + "%",
      });
      const inner = depth < 1 && w > 70 && h > 60 && i.node ? below(i.node) : [];
      if (inner.length) {
        for (const [c, cx, cy, cw, ch] of place(inner, 3, 22, w - 8, h - 27)) if (cw > 3 && ch > 3) tile(t, c, cx, cy, cw, ch, depth + 1, w - 2, h - 2);
      } else if (i.b[1] > 0) {
        const part = make("span", { className: "w" });
        part.style.height = Math.max(100 * i.b[1] / (i.b[0] + i.b[1]), 3) + "%";
        t.append(part);
      }
      if (w > 34 && h > 18) t.append(make("span", { className: "t" }, make("b", { textContent: i.name }), " " + size(i.b[0] + i.b[1])));
      into.append(t);
      if (depth) { t.setAttribute("aria-hidden", "true"); return t; }
      t.type = "button";
      t.setAttribute("aria-label", words(i));
      t.onclick = () => { if (opens(i)) open(i); else $("map-said").textContent = words(i); };
      t.onfocus = () => { $("map-said").textContent = words(i); };
      return t;
    }

    // Squarified: a row takes one more as long as that makes its areas squarer.
    function place(items, x, y, w, h) {
      const out = [];
      let rest = items.slice(), total = rest.reduce((s, i) => s + i.b[0] + i.b[1], 0);
      while (rest.length && w > 0 && h > 0) {
        const side = Math.min(w, h), scale = w * h / total;
        let n = 0, sum = 0, worst = Infinity;
        for (; n < rest.length; n++) {
          const s = sum + rest[n].b[0] + rest[n].b[1], thick = s * scale / side;
          const ratio = Math.max(...[rest[0], rest[n]].map((i) => { const l = (i.b[0] + i.b[1]) * scale / thick; return Math.max(l / thick, thick / l); }));
          if (ratio > worst) break;
          worst = ratio; sum = s;
        }
        const thick = sum * scale / side;
        let along = 0;
        for (const i of rest.slice(0, n)) {
          const len = (i.b[0] + i.b[1]) * scale / thick;
          out.push(w >= h ? [i, x, y + along, thick, len] : [i, x + along, y, len, thick]);
          along += len;
        }
        if (w >= h) { x += thick; w -= thick; } else { y += thick; h -= thick; }
        rest = rest.slice(n); total -= sum;
      }
      return out;
    }

    $("treemap").onkeydown = (e) => {
      const tiles = [...$("treemap").children], now = document.activeElement;
      if (e.key === "Backspace" || e.key === "Escape") { e.preventDefault(); up(); return; }
      const d = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key];
      let next = e.key === "Home" ? tiles[0] : e.key === "End" ? tiles[tiles.length - 1] : null;
      if (d && tiles.includes(now)) {
        const mid = (t) => [t.offsetLeft + t.offsetWidth / 2, t.offsetTop + t.offsetHeight / 2], [cx, cy] = mid(now);
        let best = Infinity;
        for (const t of tiles) {
          const [tx, ty] = mid(t), ahead = (tx - cx) * d[0] + (ty - cy) * d[1], aside = Math.abs((tx - cx) * d[1]) + Math.abs((ty - cy) * d[0]);
          if (t !== now && ahead > 1 && ahead + 2 * aside < best) { best = ahead + 2 * aside; next = t; }
        }
      }
      if (!d && !next) return;
      e.preventDefault();
      if (next) {
        tiles.forEach((t) => { t.tabIndex = t === next ? 0 : -1; });
        next.focus();
      }
    };
    $("map-by").onchange = (e) => { by = e.target.value; if (by === "layer") { layer = -1; $("map-layer").value = -1; at = root; } draw(); };
    $("map-layer").onchange = (e) => { layer = Number(e.target.value); by = "folder"; $("map-by").value = by; draw(); };
    $("map-what").onchange = (e) => { what = e.target.value; draw(); };
    let width = 0;
    new ResizeObserver(() => { if ($("treemap").clientWidth !== width) { width = $("treemap").clientWidth; draw(); } }).observe($("treemap"));
  }

  function waste() {
    if (!data.waste.length) return;
    $("waste-controls").hidden = false;
    const shown = 100;
    const all = data.waste.map((r) => [data.wasteFolders[r[0]] + r[1], r[2], r[3], r[4], r[5]]);
    let rows = all, page = 0, by = 1, down = true;
    const find = () => {
      const text = $("search").value.toLowerCase(), cause = $("cause").value;
      rows = all.filter((r) => (!cause || r[2] === cause) && (!text || r[0].toLowerCase().includes(text)));
      sort();
    };
    const sort = () => {
      const sign = down ? -1 : 1;
      // The list comes by size: equal ones stay in that order.
      rows = (by === 1 && down) ? rows : rows.slice().sort((a, b) => a[by] < b[by] ? -sign : a[by] > b[by] ? sign : 0);
      page = 0;
      draw();
    };
    const draw = () => {
      const pages = Math.max(Math.ceil(rows.length / shown), 1);
      $("waste-rows").replaceChildren(...rows.slice(page * shown, (page + 1) * shown).map((r) => make("tr", {},
        make("td", { className: "num", textContent: size(r[1]), title: exact(r[1]) }), make("td", { textContent: r[2] }),
        make("td", { className: "num", textContent: r[3] }), make("td", { className: "num", textContent: r[4] }),
        make("td", { className: "mono path", textContent: r[0] }))));
      const sum = rows.reduce((s, r) => s + r[1], 0);
      $("waste-said").textContent = `${rows.length.toLocaleString("en-US")} of ${all.length.toLocaleString("en-US")} wasted files, ${exact(sum)}`;
      $("pages").hidden = pages < 2;
      $("page").textContent = `${page + 1} of ${pages}`;
      $("prev").disabled = page === 0;
      $("next").disabled = page === pages - 1;
    };
    for (const th of document.querySelectorAll("th[data-by]")) {
      const name = th.textContent, column = Number(th.dataset.by), button = make("button", { type: "button" });
      th.replaceChildren(button);
      th.show = () => {
        const here = by === column;
        button.textContent = name + (here ? (down ? " ▼" : " ▲") : "");
        if (here) th.setAttribute("aria-sort", down ? "descending" : "ascending"); else th.removeAttribute("aria-sort");
      };
      th.show();
      button.onclick = () => {
        down = by === column ? !down : column === 1;
        by = column;
        document.querySelectorAll("th[data-by]").forEach((t) => t.show());
        find();
      };
    }
    $("search").oninput = find;
    $("cause").onchange = find;
    $("prev").onclick = () => { page--; draw(); };
    $("next").onclick = () => { page++; draw(); };
    draw();
  }
})();
