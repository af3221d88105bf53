// SPDX-License-Identifier: GPL-3.0-or-later
// The page is complete without this: it sorts the table and lets figures be explored.
(function () {
  "use strict";

  function key(row, column) {
    var cell = row.cells[column];
    var value = cell.getAttribute("data-sort");
    return value === null ? cell.textContent.trim().toLowerCase() : Number(value);
  }

  function sort(table, column, down) {
    var body = table.tBodies[0];
    var rows = Array.prototype.slice.call(body.rows).map(function (row, place) {
      return { row: row, key: key(row, column), place: place };
    });
    rows.sort(function (a, b) {
      var order = a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
      return (down ? -order : order) || a.place - b.place;
    });
    rows.forEach(function (entry) { body.appendChild(entry.row); });
  }

  function sortable(table) {
    var heads = Array.prototype.slice.call(table.tHead.rows[0].cells);
    heads.forEach(function (head, column) {
      var button = head.querySelector("button");
      if (!button) { return; }
      button.addEventListener("click", function () {
        var down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        sort(table, column, down);
      });
    });
  }

  Array.prototype.forEach.call(document.querySelectorAll("table.sortable"), sortable);
  if (typeof uPlot !== "function") { return; }

  var hint = "Drag to zoom, double-click to see all; a word of the legend hides its series.";

  function digits(value) { return String(Number(value.toPrecision(3))); }

  function duration(ns) {
    var size = Math.abs(ns), sign = ns < 0 ? "-" : "";
    var steps = [[864e11, "d"], [36e11, "h"], [6e10, "min"], [1e9, "s"], [1e6, "ms"], [1e3, "us"]];
    if (size === 0) { return "0 s"; }
    for (var i = 0; i < steps.length; i++) {
      if (size >= steps[i][0]) { return sign + digits(size / steps[i][0]) + " " + steps[i][1]; }
    }
    return sign + size + " ns";
  }

  function bytes(value) {
    var units = ["b", "kb", "mb", "gb", "tb"], i = 0;
    while (Math.abs(value) >= 1024 && i < 4) { value /= 1024; i++; }
    return digits(value) + " " + units[i];
  }

  function words(unit, value) {
    if (value === null || value === undefined) { return "\u2013"; }
    if (unit === "ns") { return duration(value); }
    if (unit === "bytes") { return bytes(value); }
    if (unit === "nano-usd") { return digits(value / 1e9) + " USD"; }
    return digits(value);
  }

  // Steps between ticks that are round in the unit that is shown.
  function steps(unit) {
    var all = [], k;
    if (unit === "ns") {
      for (k = 1; k < 1e9; k *= 10) { all.push(k, 2 * k, 5 * k); }
      [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 18000, 43200, 86400, 172800,
        432000, 864000, 8640000].forEach(function (s) { all.push(s * 1e9); });
    } else if (unit === "bytes") {
      for (k = 1; k < 1e15; k *= 1024) {
        [1, 2, 5, 10, 20, 50, 100, 200, 500].forEach(function (s) { all.push(s * k); });
      }
    } else {
      for (k = unit === "count" ? 1 : 1e-6; k < 1e15; k *= 10) { all.push(k, 2 * k, 5 * k); }
    }
    return all;
  }

  // All of the data with its intervals, from zero; a stretch that was chosen stays as it is.
  function reach(data) {
    var low = 0, high = 0, least = Infinity, most = -Infinity;
    data.series.forEach(function (series) {
      series.points.forEach(function (p) {
        low = Math.min(low, p[1], data.x.log || p[2] === null ? p[1] : p[2]);
        high = Math.max(high, p[1], p[3] === null ? p[1] : p[3]);
        least = Math.min(least, p[1]);
        most = Math.max(most, p[1]);
      });
    });
    return function (plot, from, to) {
      if (from === null || (from === least && to === most)) {
        return [low * 1.05, high > low ? high * 1.05 : low + 1];
      }
      return [from, to];
    };
  }

  function color(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  // uPlot wants one list of x for all series: places of the same x stand behind each other.
  function align(data) {
    var all = [];
    data.series.forEach(function (series, s) {
      series.points.forEach(function (point) { all.push({ s: s, p: point }); });
    });
    all.sort(function (a, b) { return a.p[0] - b.p[0] || a.s - b.s; });
    if (data.kind !== "axis") {
      return { xs: all.map(function (e) { return e.p[0]; }), rows: all };
    }
    var xs = data.values.map(function (_, i) { return i; });
    return { xs: xs, rows: null };
  }

  function columns(data, aligned) {
    return data.series.map(function (series, s) {
      if (aligned.rows) {
        return aligned.rows.map(function (e) { return e.s === s ? e.p[1] : null; });
      }
      return aligned.xs.map(function (x) {
        var found = series.points.filter(function (p) { return p[0] === x; })[0];
        return found ? found[1] : null;
      });
    });
  }

  function describe(data, aligned, index) {
    if (index === null || index === undefined || aligned.xs.length === 0) { return ""; }
    if (aligned.rows) {
      var p = aligned.rows[index].p;
      return p[4] + ": " + words(data.x.unit, p[0]) + ", " + words(data.y.unit, p[1]) + range(p);
    }
    return data.values[index] + ": " + data.series.map(function (series) {
      var p = series.points.filter(function (q) { return q[0] === index; })[0];
      return p ? series.label + " " + words(data.y.unit, p[1]) + range(p) : null;
    }).filter(Boolean).join("; ");
    function range(p) {
      return p[2] === null ? ""
        : " (95 %: " + words(data.y.unit, p[2]) + " to " + words(data.y.unit, p[3]) + ")";
    }
  }

  // The 95 % intervals, which uPlot does not draw by itself.
  function intervals(data) {
    return function (plot) {
      var context = plot.ctx;
      context.save();
      context.beginPath();
      context.rect(plot.bbox.left, plot.bbox.top, plot.bbox.width, plot.bbox.height);
      context.clip();
      data.series.forEach(function (series, s) {
        if (!plot.series[s + 1].show) { return; }
        context.strokeStyle = color("--c" + (s % 8));
        context.lineWidth = 1.3 * devicePixelRatio;
        series.points.forEach(function (p) {
          if (p[2] === null) { return; }
          var x = plot.valToPos(p[0], "x", true);
          context.beginPath();
          context.moveTo(x, plot.valToPos(p[2], "y", true));
          context.lineTo(x, plot.valToPos(p[3], "y", true));
          context.stroke();
        });
      });
      context.restore();
    };
  }

  function build(holder, data, note) {
    var aligned = align(data);
    var logarithmic = data.x.log && aligned.xs.length > 0 && aligned.xs[0] > 0 &&
      aligned.xs[aligned.xs.length - 1] >= 30 * aligned.xs[0];
    var font = "12px " + getComputedStyle(document.body).fontFamily;
    var axis = {
      stroke: color("--soft"), grid: { stroke: color("--grid"), width: 1 },
      ticks: { stroke: color("--grid"), width: 1 }
    };
    var options = {
      width: holder.clientWidth, height: Math.min(420, Math.max(280, holder.clientWidth * 0.55)),
      scales: { x: { time: false, distr: logarithmic ? 3 : 1 }, y: { range: reach(data) } },
      axes: [
        Object.assign({}, axis, { label: data.x.title, space: 70,
          labelFont: font, font: font, incrs: steps(data.x.unit), values: function (plot, ticks) {
          return ticks.map(function (tick) {
            if (tick === null) { return ""; }
            if (data.values) { return data.values[tick] === undefined ? "" : data.values[tick]; }
            return words(data.x.unit, tick);
          });
        } }),
        Object.assign({}, axis, { label: data.y.title, size: 76,
          labelFont: font, font: font, incrs: steps(data.y.unit), values: function (plot, ticks) {
          return ticks.map(function (tick) { return words(data.y.unit, tick); });
        } })
      ],
      cursor: { drag: { x: true, y: true, uni: 20 }, points: { size: 9 } },
      series: [{ label: data.x.title, value: function (plot, value) {
        if (value === null) { return "\u2013"; }
        return data.values ? data.values[value] : words(data.x.unit, value);
      } }].concat(data.series.map(function (series, s) {
        return {
          label: series.label, stroke: color("--c" + (s % 8)), fill: undefined,
          paths: data.line ? undefined : function () { return null; },
          width: 2, spanGaps: true,
          points: { show: true, size: data.kind === "curve" ? 5 : 8, fill: color("--c" + (s % 8)) },
          value: function (plot, value) { return words(data.y.unit, value); }
        };
      })),
      hooks: {
        draw: [intervals(data)],
        setCursor: [function (plot) {
          note.textContent = describe(data, aligned, plot.cursor.idx) || hint;
        }]
      }
    };
    if (data.values) {
      options.axes[0].splits = function () { return aligned.xs; };
      options.scales.x.range = function (plot, low, high) {
        if (low === null) { return [-0.5, 0.5]; }
        return low === high ? [low - 0.5, high + 0.5] : [low - 0.3, high + 0.3];
      };
    }
    if (!data.values && !logarithmic) {
      options.scales.x.range = function (plot, from, to) {
        var first = aligned.xs[0], last = aligned.xs[aligned.xs.length - 1];
        if (from === null) { return [0, 1]; }
        if (from !== first || to !== last) { return [from, to]; }
        return [first - (last - first) * 0.04 - 1, last + (last - first) * 0.04 + 1];
      };
    }
    return new uPlot(options, [aligned.xs].concat(columns(data, aligned)), holder);
  }

  function explorable(source) {
    var figure = source.parentNode;
    var button = document.createElement("button");
    var holder = document.createElement("div");
    var note = document.createElement("p");
    var plot = null;
    button.type = "button";
    button.className = "explore";
    button.textContent = "Explore";
    button.setAttribute("aria-pressed", "false");
    note.className = "plot-note";
    note.setAttribute("aria-live", "polite");
    note.hidden = true;
    figure.insertBefore(holder, source);
    figure.insertBefore(note, source);
    figure.insertBefore(button, source);

    function show() {
      figure.classList.add("plotted");
      note.hidden = false;
      note.textContent = hint;
      plot = build(holder, JSON.parse(source.textContent), note);
      button.textContent = "Back to the drawing";
      button.setAttribute("aria-pressed", "true");
    }

    function hide() {
      plot.destroy();
      plot = null;
      note.hidden = true;
      figure.classList.remove("plotted");
      button.textContent = "Explore";
      button.setAttribute("aria-pressed", "false");
    }

    button.addEventListener("click", function () { if (plot) { hide(); } else { show(); } });
    window.addEventListener("resize", function () {
      if (plot) { plot.setSize({ width: holder.clientWidth, height: plot.height }); }
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function () {
      if (plot) { hide(); show(); }
    });
  }

  Array.prototype.forEach.call(document.querySelectorAll("script.plot"), explorable);
}());
