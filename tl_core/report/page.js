"use strict";
(() => {
  const SLIDE = { format: "png", width: 1600, height: 900, scale: 2 };
  const PAPER = { ink: "#1f2328", soft: "#57606a", line: "#d0d7de" };
  const PRINTED = 700;
  const charts = JSON.parse(document.getElementById("charts").textContent);

  const inks = () => {
    const style = getComputedStyle(document.documentElement);
    return {
      ink: style.getPropertyValue("--ink").trim(),
      soft: style.getPropertyValue("--soft").trim(),
      line: style.getPropertyValue("--line").trim(),
    };
  };

  const inked = (layout, { ink, soft, line }) => {
    const axis = (given) => ({ ...given, gridcolor: line, linecolor: line, zerolinecolor: line });
    const margin = { ...layout.margin, t: Math.max(34, layout.margin.t) };
    return {
      ...layout,
      margin,
      font: { ...layout.font, color: ink, family: getComputedStyle(document.body).fontFamily },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: soft, activecolor: ink },
      xaxis: axis(layout.xaxis),
      yaxis: axis(layout.yaxis),
    };
  };

  // What is right on a page is too thin on a wall.
  const thick = (trace) => {
    const doubled = (size) => (Array.isArray(size) ? size.map((one) => 2 * one) : 2 * size);
    const made = structuredClone(trace);
    if (made.line?.width) made.line.width = doubled(made.line.width);
    if (made.marker?.size) made.marker.size = doubled(made.marker.size);
    for (const bars of [made.error_x, made.error_y]) {
      if (bars?.array) Object.assign(bars, { thickness: 4, width: 12 });
    }
    return made;
  };

  const slide = (chart) => {
    const layout = inked(structuredClone(chart.figure.layout), PAPER);
    const { height, width, ...rest } = layout;
    const showlegend = chart.legend || Boolean(rest.showlegend);
    return {
      config: { typesetMath: false },
      data: chart.figure.data.map(thick),
      layout: {
        ...rest,
        shapes: (rest.shapes ?? []).map(thick),
        title: {
          text: `<b>${chart.title}</b>`,
          subtitle: { text: chart.about, font: { size: 22 } },
          font: { size: 34 },
          x: 0.03,
          y: 0.97,
          yref: "container",
          yanchor: "top",
        },
        font: { ...rest.font, size: 24 },
        margin: { l: 60, r: 60, t: showlegend ? 210 : 150, b: 60 },
        showlegend,
        legend: { orientation: "h", y: 1.01, yanchor: "bottom", x: 0, itemsizing: "constant" },
        paper_bgcolor: "#ffffff",
        plot_bgcolor: "#ffffff",
      },
    };
  };

  const camera = (chart) => ({
    name: "picture",
    title: "Download as a picture for a slide",
    icon: Plotly.Icons.camera,
    click: () => Plotly.downloadImage(slide(chart), { ...SLIDE, filename: chart.key }),
  });

  const draw = (colours, width) => {
    for (const chart of charts) {
      const layout = inked(structuredClone(chart.figure.layout), colours);
      if (width) layout.width = width;
      Plotly.react(`chart-${chart.key}`, structuredClone(chart.figure.data), layout, {
        responsive: true,
        displaylogo: false,
        displayModeBar: true,
        modeBarButtons: [[camera(chart)]],
        toImageButtonOptions: { ...SLIDE, filename: chart.key },
        showSendToCloud: false,
        typesetMath: false,
      });
    }
  };

  draw(inks());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(inks()));
  addEventListener("beforeprint", () => draw(PAPER, PRINTED));
  addEventListener("afterprint", () => draw(inks()));
})();
