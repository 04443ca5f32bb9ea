"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const by = (id) => document.getElementById(id);
  const circles = [...by("nodes").children];
  const labels = [...document.querySelectorAll(".ids text")];
  const play = by("play"), time = by("time"), clock = by("clock"), picked = by("message"), fate = by("fate");

  // Lists of small steps become lists of times.
  const contacts = [], moves = [];
  for (let i = 0, at = 0; i < data.contacts.length; i += 4) {
    at += data.contacts[i + 2];
    contacts.push([at, at + data.contacts[i + 3], data.contacts[i], data.contacts[i + 1]]);
  }
  for (let i = 0, at = 0; i < data.moves.length; i += 4) {
    at += data.moves[i];
    moves.push([at, data.moves[i + 1], data.moves[i + 2], data.moves[i + 3]]);
  }
  const longest = contacts.reduce((most, c) => Math.max(most, c[1] - c[0]), 0);
  const place = (node) => [data.nodes[2 * node], data.nodes[2 * node + 1]];
  const firstFrom = (list, at) => {
    let low = 0, high = list.length;
    while (low < high) { const mid = (low + high) >> 1; if (list[mid][0] < at) low = mid + 1; else high = mid; }
    return low;
  };

  const seconds = (ticks) => Math.floor(ticks * data.tick_us / 1e6);
  const two = (n) => String(n).padStart(2, "0");
  const words = (ticks) => {
    const s = seconds(ticks), day = seconds(data.ticks) >= 86400 ? `day ${Math.floor(s / 86400) + 1}, ` : "";
    return `${day}${two(Math.floor(s / 3600) % 24)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  };
  const span = (ticks) => {
    const s = seconds(ticks), hours = Math.floor(s / 3600), minutes = Math.floor(s / 60) % 60;
    return hours > 0 ? `${hours} h ${minutes} min` : minutes > 0 ? `${minutes} min ${s % 60} s` : `${s} s`;
  };

  data.messages.forEach(([id, , , created, delivered, from, to], number) => {
    const option = document.createElement("option");
    option.value = number;
    option.textContent = `${id}: ${from} → ${to}${delivered < 0 ? " (never arrived)" : ""}`;
    picked.append(option);
  });

  // Dots are made once and used again.
  const dots = [];
  const dot = (number) => {
    if (!dots[number]) {
      const circle = document.createElementNS(by("map").namespaceURI, "circle");
      circle.setAttribute("class", "move");
      circle.setAttribute("r", circles.length > 120 ? 7 : 9);
      by("dots").append(circle);
      dots[number] = circle;
    }
    return dots[number];
  };

  let now = 0, playing = false, last = 0;
  const flight = () => Math.max(1, data.ticks * 0.45 / Number(by("speed").value));

  function draw() {
    const message = Number(picked.value), air = flight();
    let path = "";
    for (let i = firstFrom(contacts, now - longest); i < contacts.length && contacts[i][0] <= now; i++) {
      if (contacts[i][1] > now) {
        const [x0, y0] = place(contacts[i][2]), [x1, y1] = place(contacts[i][3]);
        path += `M${x0} ${y0}L${x1} ${y1}`;
      }
    }
    by("live").setAttribute("d", path);

    // A dot leaves when the copy went over and takes a moment, so that an eye can follow it.
    let used = 0;
    for (let i = firstFrom(moves, now - air); i < moves.length && moves[i][0] <= now && used < 80; i++) {
      const [at, which, from, to] = moves[i];
      if (message >= 0 && which !== message) continue;
      const part = Math.min(1, (now - at) / air), [x0, y0] = place(from), [x1, y1] = place(to), circle = dot(used++);
      circle.setAttribute("cx", x0 + (x1 - x0) * part);
      circle.setAttribute("cy", y0 + (y1 - y0) * part);
      circle.style.display = "";
    }
    for (let i = used; i < dots.length; i++) dots[i].style.display = "none";

    const has = new Set();
    let goal = -1;
    if (message >= 0) {
      const [, from, to, created] = data.messages[message];
      goal = to;
      if (now >= created) has.add(from);
      // A node has its copy once the dot is there; at the end all dots are.
      const landed = now >= data.ticks ? now : now - air;
      for (const [at, which, , node] of moves) { if (at > landed) break; if (which === message) has.add(node); }
    }
    circles.forEach((circle, node) => {
      circle.setAttribute("class", "node" + (has.has(node) ? " has" : "") + (node === goal ? " goal" : ""));
      if (labels[node]) labels[node].setAttribute("class", has.has(node) ? "on" : "");
    });
    clock.textContent = `${words(now)} of ${words(data.ticks)}`;
    time.value = Math.round(now / Math.max(1, data.ticks) * 1000);
    time.setAttribute("aria-valuetext", words(now));
  }

  function tell() {
    const message = Number(picked.value);
    if (message < 0) { fate.textContent = ""; return; }
    const [id, , , created, delivered, from, to] = data.messages[message];
    const end = delivered < 0 ? "It never arrived." : `It arrived after ${span(delivered - created)}.`;
    fate.textContent = `${id} was written by node ${from} for node ${to} at ${words(created)}. ${end}`;
  }

  function run(on) {
    playing = on;
    play.textContent = on ? "Pause" : "Play";
    if (on) {
      if (now >= data.ticks) now = 0;
      last = performance.now();
      requestAnimationFrame(step);
    }
  }

  function step(at) {
    if (!playing) return;
    now = Math.min(data.ticks, now + (at - last) / 1000 * data.ticks / Number(by("speed").value));
    last = at;
    draw();
    if (now >= data.ticks) run(false); else requestAnimationFrame(step);
  }

  play.addEventListener("click", () => run(!playing));
  time.addEventListener("input", () => { now = Number(time.value) / 1000 * data.ticks; draw(); });
  picked.addEventListener("change", () => {
    const message = Number(picked.value);
    if (message >= 0) now = data.messages[message][3];
    tell();
    draw();
  });
  by("map").addEventListener("click", () => run(!playing));
  by("controls").hidden = false;
  draw();
})();
