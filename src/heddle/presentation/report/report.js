(function () {
  "use strict";
  var root = document.documentElement;
  var charts = Array.prototype.slice.call(document.querySelectorAll(".chart"));
  var drawn = [];

  function coloured(value, key) {
    if (typeof value === "string") {
      var token = /color/i.test(key) && /^var\((--[a-z0-9-]+)\)$/.exec(value);
      return token ? getComputedStyle(root).getPropertyValue(token[1]).trim() : value;
    }
    if (Array.isArray(value)) {
      return value.map(function (item) { return coloured(item, key); });
    }
    if (value && typeof value === "object") {
      var made = {};
      Object.keys(value).forEach(function (name) { made[name] = coloured(value[name], name); });
      return made;
    }
    return value;
  }

  function draw(node) {
    var spec = coloured(JSON.parse(document.getElementById(node.dataset.spec).textContent), "");
    var touch = window.matchMedia("(pointer: coarse)").matches;
    spec.layout.dragmode = touch ? false : "zoom";
    window.Plotly.react(node, spec.data, spec.layout, {
      responsive: true, displayModeBar: false, displaylogo: false, scrollZoom: false
    });
    if (drawn.indexOf(node) < 0) { drawn.push(node); }
  }

  if (window.IntersectionObserver && !window.matchMedia("print").matches) {
    var near = new IntersectionObserver(function (entries) {
      entries.forEach(function (entry) {
        if (entry.isIntersecting) { near.unobserve(entry.target); draw(entry.target); }
      });
    }, { rootMargin: "800px 0px" });
    charts.forEach(function (node) { near.observe(node); });
  } else {
    charts.forEach(draw);
  }
  window.addEventListener("beforeprint", function () { charts.forEach(draw); });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function () {
    drawn.forEach(draw);
  });

  var links = {};
  document.querySelectorAll("nav.contents a").forEach(function (link) {
    links[link.getAttribute("href").slice(1)] = link;
  });
  if (window.IntersectionObserver) {
    var reader = new IntersectionObserver(function (entries) {
      entries.forEach(function (entry) {
        if (!entry.isIntersecting) { return; }
        Object.keys(links).forEach(function (anchor) { links[anchor].removeAttribute("aria-current"); });
        var link = links[entry.target.id];
        if (!link) { return; }
        link.setAttribute("aria-current", "true");
        var bar = link.closest("ol");
        if (bar.scrollWidth > bar.clientWidth) { bar.scrollLeft = link.offsetLeft - 16; }
      });
    }, { rootMargin: "-15% 0px -75% 0px" });
    document.querySelectorAll("main > section").forEach(function (part) { reader.observe(part); });
  }
})();
