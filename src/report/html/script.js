"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const say = (text) => { byId("said").textContent = text; };
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text) element.textContent = text;
    return element;
  };
  const button = (text, label, act) => {
    const element = make("button", "", text);
    element.type = "button";
    if (label) element.setAttribute("aria-label", label);
    element.addEventListener("click", act);
    return element;
  };

  // Themes: as the system has it, light, dark. Storage may be forbidden.
  const themes = ["auto", "light", "dark"];
  const stored = () => { try { return localStorage.getItem("omnilog-theme"); } catch { return null; } };
  const setTheme = (theme) => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    byId("theme").textContent = "Theme: " + theme;
    byId("theme").dataset.now = theme;
    try { localStorage.setItem("omnilog-theme", theme); } catch { /* not kept */ }
  };
  setTheme(themes.includes(stored()) ? stored() : "auto");
  byId("theme").addEventListener("click", () => {
    setTheme(themes[(themes.indexOf(byId("theme").dataset.now) + 1) % themes.length]);
  });

  // Unfolding: by button, for print, and wherever a link leads.
  const folds = all("details");
  const unfold = byId("unfold");
  const setFolds = (open) => {
    folds.forEach((fold) => { fold.open = open; });
    unfold.textContent = open ? "Fold all" : "Unfold all";
  };
  unfold.addEventListener("click", () => setFolds(unfold.textContent === "Unfold all"));
  let before = null;
  addEventListener("beforeprint", () => {
    before = folds.map((fold) => fold.open);
    folds.forEach((fold) => { fold.open = true; });
  });
  addEventListener("afterprint", () => {
    if (before) folds.forEach((fold, index) => { fold.open = before[index]; });
    before = null;
  });
  const reveal = (id) => {
    const target = id && byId(id);
    if (!target) return;
    for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    all(".shown").forEach((element) => element.classList.remove("shown"));
    if (target.classList.contains("proof")) target.classList.add("shown");
    target.scrollIntoView({ block: target.classList.contains("proof") ? "center" : "start" });
    if (target.matches("[tabindex]")) target.focus({ preventScroll: true });
  };
  const revealHash = () => reveal(decodeURIComponent(location.hash.slice(1)));
  addEventListener("hashchange", revealHash);
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a");
    // The same place again does not change the hash.
    if (link && link.getAttribute("href") === location.hash) revealHash();
  });

  // Copy buttons.
  const copy = async (text, source) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      getSelection().selectAllChildren(source);
      return document.execCommand("copy");
    }
  };
  all("button.copy").forEach((element) => {
    const source = element.parentElement.querySelector("code");
    element.hidden = false;
    element.addEventListener("click", async () => {
      const done = await copy(source.textContent, source);
      element.textContent = done ? "Copied" : "Select it";
      say(done ? "Command copied" : "Copying is not allowed here; the command is selected");
      setTimeout(() => { element.textContent = "Copy"; }, 2000);
    });
  });

  // The timeline.
  const charts = byId("charts");
  const startTimeline = () => {
    const number = (key) => Number(charts.dataset[key]);
    const first = { from: number("from"), to: number("to") };
    const whole = { from: number("min"), to: number("max") };
    const shortest = 20;
    let now = { ...first };
    let chart = all(".chart", charts)[0];
    const margin = 1.5;
    const percent = (time) => margin + (100 - 2 * margin) * (time - now.from) / (now.to - now.from);
    const timeAt = (clientX) => {
      const box = chart.getBoundingClientRect();
      const share = ((clientX - box.left) / box.width * 100 - margin) / (100 - 2 * margin);
      return now.from + share * (now.to - now.from);
    };

    const second = 1000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;
    const steps = [1, 5, 10, 50, 100, 500, 1, 2, 5, 10, 15, 30, 1, 2, 5, 10, 15, 30, 1, 2, 3, 6, 12, 1, 2, 7, 14, 30, 90, 365, 3650]
      .map((n, i) => n * (i < 6 ? 1 : i < 12 ? second : i < 18 ? minute : i < 23 ? hour : day));
    const iso = (time) => new Date(time).toISOString();
    const label = (time, step, days) => {
      const text = iso(time);
      if (step >= day) return text.slice(0, 10);
      if (days) return text.slice(5, 10) + " " + text.slice(11, 16);
      return text.slice(11, step >= minute ? 16 : step >= second ? 19 : 23);
    };
    const svg = (tag, attributes) => {
      const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
      Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
      return element;
    };
    const drawTicks = (target) => {
      const span = now.to - now.from;
      const days = iso(now.from).slice(0, 10) !== iso(now.to).slice(0, 10);
      const most = Math.max(2, Math.min(10, Math.floor((target.clientWidth || 600) / 110)));
      const step = steps.find((s) => span / s < most) || span;
      const ticks = target.querySelector(".ticks");
      const height = target.getAttribute("height");
      ticks.replaceChildren();
      for (let time = Math.ceil(now.from / step) * step; time <= now.to; time += step) {
        const x = percent(time) + "%";
        const group = svg("g", {});
        // A label at an edge stands inside of it.
        const place = (percent(time) / 100) * (target.clientWidth || 600);
        const edge = place < 34 ? "first" : place > (target.clientWidth || 600) - 34 ? "last" : "";
        group.append(svg("line", { x1: x, x2: x, y1: 20, y2: height }), svg("text", { x, y: 14, class: edge }));
        group.lastChild.textContent = label(time, step, days);
        ticks.append(group);
      }
    };
    // A long name gives way at its beginning: the end tells sources apart.
    const drawNames = (target) => {
      const room = Math.floor((target.clientWidth || 600) / 7.4);
      all(".lane", target).forEach((name) => {
        const whole = name.dataset.name || name.textContent;
        name.dataset.name = whole;
        name.textContent = whole.length > room ? "…" + whole.slice(1 - room) : whole;
      });
    };
    const draw = () => {
      all("[data-t]", chart).forEach((mark) => {
        const at = percent(Number(mark.dataset.t));
        mark.querySelector("svg").setAttribute("x", at + "%");
        if (at < 0 || at > 100) mark.setAttribute("display", "none");
        else mark.removeAttribute("display");
      });
      all("[data-a]", chart).forEach((bar) => {
        const from = Math.max(0, Math.min(100, percent(Number(bar.dataset.a))));
        const to = Math.max(0, Math.min(100, percent(Number(bar.dataset.b))));
        bar.setAttribute("x", from + "%");
        bar.setAttribute("width", (to - from) + "%");
      });
      drawTicks(chart);
      drawNames(chart);
      charts.dataset.from = Math.round(now.from);
      charts.dataset.to = Math.round(now.to);
      const days = [iso(now.from).slice(0, 10), iso(now.to).slice(0, 10)];
      document.querySelector("#timeline .days").textContent = (days[0] === days[1] ? days[0] : days.join(" to ")) + ", UTC";
      const entry = chart.querySelector('.mark[tabindex="0"]');
      if (!entry || entry.hasAttribute("display")) reach(visible()[0]);
      hideTip();
    };
    const show = (from, to) => {
      const span = Math.max(shortest, Math.min(to - from, whole.to - whole.from));
      from = Math.max(whole.from, Math.min(from, whole.to - span));
      now = { from, to: from + span };
      draw();
    };
    const zoom = (factor, center) => {
      const share = (center - now.from) / (now.to - now.from);
      const span = (now.to - now.from) * factor;
      show(center - share * span, center + (1 - share) * span);
    };
    const pan = (share) => {
      const by = (now.to - now.from) * share;
      show(now.from + by, now.to + by);
    };
    const middle = () => (now.from + now.to) / 2;

    // What a mark tells, beside it.
    const tip = byId("tip");
    const hideTip = () => { tip.hidden = true; };
    const showTip = (mark) => {
      const { when, where, says, text } = mark.dataset;
      const line = make("code", "", text);
      tip.replaceChildren(make("p", "", says), make("p", "tip-where", when + " UTC · " + where), line);
      tip.hidden = false;
      const frame = charts.getBoundingClientRect();
      const box = mark.getBoundingClientRect();
      const left = Math.max(4, Math.min(box.left - frame.left + 14, frame.width - tip.offsetWidth - 4));
      tip.style.left = left + "px";
      tip.style.top = (box.bottom - frame.top + 8) + "px";
    };

    // One mark is reached by Tab, the others by arrows.
    const visible = () => all(".mark:not([display])", chart).sort((a, b) => a.dataset.t - b.dataset.t);
    const reach = (mark) => {
      all(".mark", charts).forEach((other) => other.setAttribute("tabindex", "-1"));
      if (mark) mark.setAttribute("tabindex", "0");
    };
    const step = (mark, by) => {
      const marks = visible();
      const next = marks[Math.max(0, Math.min(marks.length - 1, marks.indexOf(mark) + by))];
      if (next) { reach(next); next.focus(); }
    };
    const keys = {
      "+": (mark) => zoom(0.5, mark ? Number(mark.dataset.t) : middle()),
      "=": (mark) => keys["+"](mark),
      "-": (mark) => zoom(2, mark ? Number(mark.dataset.t) : middle()),
      "0": () => show(first.from, first.to),
      "ArrowLeft": (mark, event) => (event.shiftKey ? pan(-0.2) : step(mark, -1)),
      "ArrowRight": (mark, event) => (event.shiftKey ? pan(0.2) : step(mark, 1)),
      "Home": (mark) => step(mark, -Infinity),
      "End": (mark) => step(mark, Infinity),
      "Escape": () => hideTip(),
    };
    charts.addEventListener("keydown", (event) => {
      const act = keys[event.key];
      if (!act || event.ctrlKey || event.metaKey || event.altKey || event.target.closest(".tools")) return;
      event.preventDefault();
      act(event.target.closest(".mark"), event);
      const mark = event.target.closest(".mark");
      if (mark && document.activeElement === mark && mark.hasAttribute("display")) step(mark, 0);
    });
    all(".mark", charts).forEach((mark) => {
      const title = mark.querySelector("title");
      mark.setAttribute("aria-label", title.textContent);
      title.remove();
      mark.addEventListener("mouseenter", () => showTip(mark));
      mark.addEventListener("mouseleave", hideTip);
      mark.addEventListener("focus", () => { if (mark.matches(":focus-visible")) showTip(mark); });
      mark.addEventListener("blur", hideTip);
      mark.addEventListener("dragstart", (event) => event.preventDefault());
    });

    // The wheel zooms once the timeline is in use, so that it never holds up who only scrolls by.
    let active = false;
    const setActive = (on) => { active = on; chart.classList.toggle("grab", on); };
    document.addEventListener("pointerdown", (event) => setActive(charts.contains(event.target)));
    charts.addEventListener("focusin", () => setActive(true));
    charts.addEventListener("wheel", (event) => {
      const out = event.deltaY > 0;
      const atEnd = out && now.from <= whole.from && now.to >= whole.to;
      if (!(active || event.ctrlKey) || atEnd || !event.target.closest(".chart")) return;
      event.preventDefault();
      zoom(out ? 1.25 : 0.8, timeAt(event.clientX));
    }, { passive: false });

    // Dragging moves, two fingers zoom.
    const fingers = new Map();
    let moved = false;
    const span = () => Math.abs([...fingers.values()][0] - [...fingers.values()][1]);
    charts.addEventListener("pointerdown", (event) => {
      if (!event.target.closest(".chart") || event.button !== 0) return;
      fingers.set(event.pointerId, event.clientX);
      moved = false;
    });
    addEventListener("pointermove", (event) => {
      if (!fingers.has(event.pointerId)) return;
      const last = fingers.get(event.pointerId);
      if (fingers.size === 2) {
        const before = span();
        fingers.set(event.pointerId, event.clientX);
        const places = [...fingers.values()];
        if (span() > 0 && before > 0) zoom(before / span(), timeAt((places[0] + places[1]) / 2));
        moved = true;
      } else if (moved || Math.abs(event.clientX - last) > 4) {
        moved = true;
        chart.classList.add("moving");
        fingers.set(event.pointerId, event.clientX);
        const by = timeAt(last) - timeAt(event.clientX);
        show(now.from + by, now.to + by);
      }
    });
    const lift = (event) => { fingers.delete(event.pointerId); chart.classList.remove("moving"); };
    addEventListener("pointerup", lift);
    addEventListener("pointercancel", lift);
    charts.addEventListener("click", (event) => {
      // The end of a drag is no click.
      if (moved && event.target.closest(".chart")) { event.preventDefault(); event.stopPropagation(); }
      moved = false;
    }, true);

    // Tools.
    const tools = byId("tools");
    const choose = (target) => {
      chart = target;
      all(".chart", charts).forEach((other) => { other.toggleAttribute("hidden", other !== chart); });
      all("button[data-chart]", tools).forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.chart === chart.id)));
      draw();
    };
    const choices = all(".chart", charts);
    if (choices.length > 1) {
      choices.forEach((target) => {
        const element = button("Lanes " + target.dataset.title, "", () => choose(target));
        element.dataset.chart = target.id;
        tools.append(element);
      });
    }
    tools.append(make("span", "gap"),
      button("+", "Zoom in", () => zoom(0.5, middle())),
      button("−", "Zoom out", () => zoom(2, middle())),
      button("Evidence", "Show the time of the evidence", () => show(first.from, first.to)),
      button("All time", "Show all time that is covered", () => show(whole.from, whole.to)),
      make("p", "hint", matchMedia("(pointer: coarse)").matches
        ? "Drag to move, pinch to zoom, touch a mark to see its line."
        : "Click into the chart, then zoom with the wheel or + and −, move by dragging or Shift and arrows, " +
          "walk with arrows, open a line with Enter."));
    tools.hidden = false;
    charts.classList.add("live");
    choose(chart);
    addEventListener("resize", draw);
  };
  if (charts) startTimeline();

  [byId("theme"), unfold].forEach((element) => { element.hidden = false; });
  revealHash();
})();
