// Draws a chart above each table of the statistics page, from the table itself; a bar leads where its row leads.
// Without this script the tables stand open and say the same.
"use strict";

(() => {
  const ACCENT = "#0b57b0";
  const DEEP = "#0b3a75";
  const PALE = "#dce8f7";
  const DEAD = "#b3261e";
  const HURT = "#b06a00";
  const TEXT = "#1d2733";
  const LINE = "#d8dfe9";
  const FONT = getComputedStyle(document.body).fontFamily;
  const STILL = matchMedia("(prefers-reduced-motion: reduce)").matches;

  function rowsOf(table) {
    return [...table.tBodies[0].rows].map((row) => {
      const link = row.querySelector("a");
      return {
        code: row.dataset.code || "",
        name: row.cells[0].textContent,
        address: link ? link.href : null,
        values: [...row.cells].slice(1).map((cell) => Number(cell.textContent)),
      };
    });
  }

  function common() {
    return {
      animation: !STILL,
      textStyle: { fontFamily: FONT, color: TEXT, fontSize: 14 },
      // Rich text is drawn on the canvas: HTML would need styles that our policy forbids.
      tooltip: { renderMode: "richText", confine: true, textStyle: { fontFamily: FONT } },
    };
  }

  function bars(rows) {
    return {
      ...common(),
      grid: { left: 8, right: 56, top: 8, bottom: 8, containLabel: true },
      xAxis: { type: "value", minInterval: 1, axisLabel: { show: false }, splitLine: { show: false } },
      yAxis: {
        type: "category",
        inverse: true,
        data: rows.map((row) => row.name),
        axisTick: { show: false },
        axisLine: { lineStyle: { color: LINE } },
        axisLabel: { color: TEXT, fontSize: 14 },
      },
      series: [
        {
          type: "bar",
          name: "上报数",
          data: rows.map((row) => row.values[0]),
          barMaxWidth: 22,
          itemStyle: { color: ACCENT, borderRadius: [0, 3, 3, 0] },
          label: { show: true, position: "right", color: TEXT, fontSize: 14 },
        },
      ],
    };
  }

  function line(name, color, symbol, values) {
    return {
      type: "line",
      name,
      data: values,
      symbol,
      symbolSize: 8,
      itemStyle: { color },
      lineStyle: { color, width: 2 },
    };
  }

  function columns(rows) {
    const value = (index) => rows.map((row) => row.values[index]);
    const options = common();
    return {
      ...options,
      tooltip: { ...options.tooltip, trigger: "axis" },
      legend: { top: 0, textStyle: { color: TEXT, fontSize: 14 } },
      grid: { left: 8, right: 16, top: 40, bottom: 8, containLabel: true },
      xAxis: { type: "category", data: rows.map((row) => row.name), axisLabel: { color: TEXT, hideOverlap: true } },
      yAxis: { type: "value", minInterval: 1, splitLine: { lineStyle: { color: LINE } } },
      series: [
        { type: "bar", name: "上报数", data: value(0), barMaxWidth: 28, itemStyle: { color: ACCENT } },
        line("死亡人数", DEAD, "diamond", value(1)),
        line("受伤人数", HURT, "triangle", value(2)),
      ],
    };
  }

  // The map is by the names in its file, the rows are by the codes of GB/T 2260, which the file has too.
  function map(rows, china, points) {
    const names = new Map(china.features.map((feature) => [feature.properties.id, feature.properties.name]));
    const most = Math.max(1, ...rows.map((row) => row.values[0]));
    const regions = rows.map((row) => ({ name: names.get(row.code), value: row.values[0] }));
    return {
      ...common(),
      geo: {
        map: "china",
        left: 8,
        right: 8,
        top: 8,
        bottom: 8,
        itemStyle: { areaColor: "#f7f9fc", borderColor: "#9aa8bb" },
        emphasis: { label: { show: true, color: TEXT }, itemStyle: { areaColor: "#ffe2ad" } },
        select: { disabled: true },
      },
      visualMap: {
        min: 0,
        max: most,
        seriesIndex: 0,
        left: 8,
        bottom: 8,
        itemWidth: 12,
        itemHeight: 80,
        text: [String(most), "0"],
        textStyle: { color: TEXT },
        inRange: { color: [PALE, DEEP] },
      },
      series: [
        { type: "map", geoIndex: 0, name: "上报数", data: regions },
        {
          type: "scatter",
          coordinateSystem: "geo",
          name: "上报",
          data: points.map(([number, longitude, latitude]) => ({ name: number, value: [longitude, latitude] })),
          symbolSize: 7,
          itemStyle: { color: "#f0a020", borderColor: "#7a4700", borderWidth: 1, opacity: 0.85 },
          tooltip: { formatter: "{b}" },
        },
      ],
    };
  }

  function follow(address) {
    if (address) location.assign(address);
  }

  function show(place, options) {
    place.hidden = false;
    const chart = echarts.init(place, null, { renderer: "canvas" });
    chart.setOption(options);
    new ResizeObserver(() => chart.resize()).observe(place);
    return chart;
  }

  function draw(place, table) {
    const rows = rowsOf(table);
    if (place.dataset.chart === "bars") place.style.height = `${rows.length * 34 + 20}px`;
    const chart = show(place, place.dataset.chart === "bars" ? bars(rows) : columns(rows));
    chart.on("click", (event) => follow(rows[event.dataIndex].address));
  }

  async function drawMap(place, table) {
    const answer = await fetch(place.dataset.map);
    if (!answer.ok) throw new Error(`the map: ${answer.status}`);
    const china = await answer.json();
    const rows = rowsOf(table);
    const points = JSON.parse(place.dataset.points);
    // Registering decodes the file's outlines in place, so the codes are read from a copy.
    echarts.registerMap("china", structuredClone(china));
    const chart = show(place, map(rows, china, points));
    const addresses = new Map(map(rows, china, []).series[0].data.map((region, at) => [region.name, rows[at].address]));
    chart.on("click", (event) => {
      if (event.seriesType === "scatter") follow(`/smdvs/reports/${encodeURIComponent(event.name)}`);
      else follow(addresses.get(event.name));
    });
  }

  function fold(table) {
    table.closest("details").open = false;
  }

  for (const place of document.querySelectorAll("[data-chart]")) {
    const table = document.getElementById(place.dataset.table);
    if (!table) continue;
    if (place.dataset.chart === "map") {
      drawMap(place, table).then(() => fold(table), () => { place.hidden = true; });
    } else {
      draw(place, table);
      fold(table);
    }
  }
})();
