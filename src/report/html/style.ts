/** The page's style sheet: system fonts, one accent, colours by theme, and never colour alone. Contrast is AA in both themes. */
export const STYLE = `
:root {
  --page: #fbfaf8; --card: #ffffff; --ink: #1d2026; --quiet: #575d67; --line: #dcdad5; --grid: #e9e7e2;
  --accent: #1d5fbf; --accent-soft: #1d5fbf2e; --grey: #7b818b; --grey-soft: #7b818b33;
  --good: #17693f; --fair: #7d5200; --poor: #b3261e; --shade: #f1efeb;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15171b; --card: #1d2025; --ink: #e8e9ec; --quiet: #a3a9b3; --line: #363a42; --grid: #2b2f36;
    --accent: #86b4ff; --accent-soft: #86b4ff33; --grey: #8d939d; --grey-soft: #8d939d40;
    --good: #6fd39a; --fair: #f0bd5c; --poor: #ff948b; --shade: #262a30;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; overflow-wrap: anywhere; }
header, main, .page { max-width: 68rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 2rem; }
main { padding-bottom: 4rem; }
main:focus { outline: none; }
.mark { margin: 0; color: var(--accent); font-weight: 650; letter-spacing: .02em; }
h1 { margin: .1rem 0 0; font-size: clamp(1.5rem, 4vw, 2.1rem); line-height: 1.2; font-weight: 650; letter-spacing: -.01em; }
h2 { margin: 3rem 0 .6rem; font-size: 1.3rem; line-height: 1.25; font-weight: 650; }
h3 { margin: 1.6rem 0 .4rem; font-size: 1.05rem; font-weight: 620; }
h4 { margin: .9rem 0 .2rem; font-size: .95rem; font-weight: 620; }
p { margin: .4rem 0; }
.lead { color: var(--quiet); max-width: 44rem; }
.quiet, small { color: var(--quiet); font-weight: 400; }
small { font-size: .84em; }
a { color: var(--accent); }
code { font: .92em/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
.skip { position: absolute; left: -99rem; top: 0; padding: .6rem 1rem; background: var(--card); z-index: 1; }
.skip:focus { left: 0; }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; margin: 1.2rem 0 0; padding: 0; list-style: none; font-size: .93rem; }
nav a { display: inline-block; padding: .25rem 0; }

.verdict { margin-top: 1.4rem; padding: 1.1rem 1.3rem 1.2rem; background: var(--card); border: 1px solid var(--line); border-left: 6px solid var(--tone, var(--quiet)); border-radius: 10px; }
.verdict .word { margin: 0; color: var(--tone); font-size: 1.5rem; font-weight: 680; text-transform: capitalize; }
.verdict .sentence { margin: .2rem 0 0; font-size: 1.08rem; max-width: 52rem; }
.excellent, .good { --tone: var(--good); } .fair, .open, .warning { --tone: var(--fair); } .poor, .bad, .critical { --tone: var(--poor); } .notice { --tone: var(--accent); }
.problem { color: var(--poor); }
.together { white-space: nowrap; }
.rating { color: var(--tone); white-space: nowrap; font-size: .9em; }
.badge { display: inline-block; padding: .02rem .5rem; border: 1px solid var(--tone, var(--line)); border-radius: 99px; color: var(--tone, var(--quiet)); font-size: .82rem; font-weight: 560; line-height: 1.5; }
.badge.chosen { --tone: var(--accent); }

.choices { list-style: none; margin: .4rem 0 1rem; padding: 0; } .choices li { margin: .3rem 0; }
.paths + .paths { margin-top: .9rem; }
.paths { list-style: none; margin: 0; padding: 0; display: grid; gap: .9rem; }
.path { padding: .9rem 1.2rem 1rem; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.path.chosen { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
.path h3 { margin: 0 0 .5rem; }
.track { --thick: 2px; --bar: var(--grey); display: flex; list-style: none; margin: 0; padding: 0; }
.medium { --thick: 4px; } .fast { --thick: 6px; } .fastest { --thick: 9px; }
.chosen .track { --bar: var(--accent); }
.track li { position: relative; flex: 1 1 5rem; min-width: 0; padding: 1.75rem .5rem 0; text-align: center; font-size: .9rem; line-height: 1.35; }
.track li:first-child, .track li:last-child { flex: 1 1 7rem; }
.track li:first-child { text-align: left; padding-left: 0; } .track li:last-child { text-align: right; padding-right: 0; }
.track li span { display: block; color: var(--quiet); font-size: .85rem; }
.track li::before { content: ""; position: absolute; left: 0; right: 0; top: .75rem; margin-top: calc(var(--thick) / -2); border-top: var(--thick) solid var(--bar); }
.tunnel .track li::before { border-top-style: dashed; }
.track li:first-child::before { left: .5rem; } .track li:last-child::before { right: .5rem; }
.track li::after { content: ""; position: absolute; left: 50%; top: .75rem; width: .8rem; height: .8rem; margin: -.4rem 0 0 -.4rem; border: 3px solid var(--bar); border-radius: 50%; background: var(--card); }
.track .end::after { width: 1.1rem; height: 1.1rem; margin-top: -.55rem; background: var(--bar); }
.track li:first-child::after { left: .4rem; } .track li:last-child::after { left: auto; right: 0; }
.track .many::after { width: 2.2rem; margin-left: -1.1rem; border-radius: 99px; border-style: dotted; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(10.5rem, 40%), 1fr)); gap: .6rem 1.2rem; margin: 1rem 0 0; }
.tiles dt { color: var(--quiet); font-size: .85rem; } .tiles dd { margin: 0; line-height: 1.35; } .tiles b { font-size: 1.1rem; font-weight: 620; } .tiles small { display: block; }

.breaks td { overflow-wrap: anywhere; }
.findings { list-style: none; margin: 0; padding: 0; display: grid; gap: .9rem; }
.finding { padding: .9rem 1.2rem 1rem; background: var(--card); border: 1px solid var(--line); border-left: 6px solid var(--tone); border-radius: 10px; }
.finding h3 { margin: 0; } .id { font: .82rem ui-monospace, Menlo, Consolas, monospace; }
.finding .badge.plain { --tone: var(--line); color: var(--quiet); }
.badge.critical, .badge.warning, .badge.notice { text-transform: capitalize; }
.evidence, .steps, .folded ul, section > ul { margin: .4rem 0; padding-left: 1.2rem; }
.steps li { margin: .3rem 0; }
.steps .badge { --tone: var(--line); color: var(--quiet); }
.symptoms { font-size: .85rem; margin-top: .6rem; }
.command { display: flex; align-items: flex-start; gap: .5rem; margin: .3rem 0; }
.command code { flex: 0 1 auto; padding: .35rem .6rem; background: var(--shade); border-radius: 6px; user-select: all; }
.command button { flex: none; padding: .3rem .7rem; border: 1px solid var(--line); border-radius: 6px; background: var(--card); color: var(--ink); font: inherit; font-size: .85rem; cursor: pointer; }
.command button:hover { border-color: var(--accent); color: var(--accent); }
.unchecked { margin: 0; } .unchecked dt { font-weight: 600; margin-top: .7rem; } .unchecked dd { margin: 0; }
.hint { color: var(--quiet); }

.grid-2 figure { margin: 0; }
.grid-2 { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(24rem, 100%), 1fr)); gap: 1rem; align-items: start; }
figure { margin: .6rem 0 0; padding: .9rem 1.1rem .7rem; background: var(--card); border: 1px solid var(--line); border-radius: 10px; min-width: 0; }
figcaption { font-weight: 620; margin-bottom: .5rem; }
.chart { display: block; overflow: visible; }
.chart text { font-size: 13px; fill: var(--ink); font-variant-numeric: tabular-nums; }
.chart .tick, .chart .axis { fill: var(--quiet); font-size: 12px; }
.chart .value { font-weight: 620; }
.chart .halo, .chart .limit-name { paint-order: stroke; stroke: var(--card); stroke-width: 4px; stroke-linejoin: round; }
.chart .limit-name { fill: var(--quiet); font-size: 12px; }
.chart path, .chart line { vector-effect: non-scaling-stroke; }
.grid { stroke: var(--grid); } .baseline { stroke: var(--line); }
.area { stroke: none; } .line { fill: none; stroke-width: 1.5px; stroke-linejoin: round; }
.area.idle { fill: var(--grey-soft); } .line.idle, .median.idle { stroke: var(--grey); }
.area.loaded { fill: var(--accent-soft); } .line.loaded, .median.loaded { stroke: var(--accent); }
.median { stroke-width: 2.5px; } .tail { stroke: var(--ink); stroke-width: 1.5px; }
.line.loaded { stroke-width: 2px; } .line.worst { stroke: var(--grey); stroke-dasharray: 2 3; }
.area.rate { fill: var(--accent-soft); } .line.rate { stroke: var(--accent); stroke-width: 2px; }
.area.rate.up { fill: var(--grey-soft); } .line.rate.up { stroke: var(--ink); }
.area.rate.only { fill: var(--accent-soft); } .line.rate.only { stroke: var(--accent); }
.omitted { fill: var(--grey-soft); } .turn { stroke: var(--grey); stroke-dasharray: 1 4; }
.limit { stroke: var(--ink); stroke-dasharray: 6 4; } .idle-line { stroke: var(--grey); stroke-dasharray: 6 4; }
.one { stroke: var(--ink); stroke-width: 1.5px; }
.bar { stroke: var(--grey); stroke-width: 2px; } .dot { fill: var(--grey); }
.dot.physical { fill: var(--ink); } .dot.configured { fill: var(--card); stroke: var(--ink); stroke-width: 2.5px; } .dot.estimated { fill: var(--grey); }
.range { stroke-width: 4px; stroke-linecap: round; stroke: var(--grey); } .range.loaded { stroke: var(--accent); } .dot.loaded { fill: var(--accent); }

details { margin: .5rem 0; }
summary { padding: .25rem 0; color: var(--accent); cursor: pointer; font-size: .93rem; }
.folded { padding: .1rem 0 .5rem; }
.scroll { overflow-x: auto; margin: .4rem 0 .8rem; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.scroll { position: relative; }
th, td { padding: .32rem .9rem .32rem 0; border-bottom: 1px solid var(--grid); text-align: left; vertical-align: top; }
thead th { color: var(--quiet); font-weight: 500; border-bottom-color: var(--line); white-space: nowrap; }
tbody th { font-weight: 560; min-width: 10rem; }
.figure { text-align: right; white-space: nowrap; }
.child { padding-left: 1rem; font-weight: 400; }
.remark { display: block; min-width: 12rem; max-width: 30rem; color: var(--quiet); }
.long { word-break: break-all; }

@media (max-width: 40rem) {
  .track { display: block; }
  .track li, .track li:first-child, .track li:last-child { padding: .1rem 0 .75rem 1.9rem; text-align: left; }
  .track li:last-child { padding-bottom: 0; }
  .track li::before, .track li:first-child::before, .track li:last-child::before { left: .55rem; right: auto; top: 0; bottom: 0; margin: 0 0 0 calc(var(--thick) / -2); border-top: 0; border-left: var(--thick) solid var(--bar); }
  .tunnel .track li::before { border-left-style: dashed; }
  .track li:first-child::before { top: .6rem; } .track li:last-child::before { bottom: auto; height: .6rem; }
  .track li::after, .track li:first-child::after, .track li:last-child::after { left: .55rem; right: auto; top: .75rem; margin: -.4rem 0 0 -.4rem; }
  .track .end::after, .track .end:first-child::after, .track .end:last-child::after { margin: -.55rem 0 0 -.55rem; }
  .track .many::after { width: .8rem; height: 1.4rem; margin: -.7rem 0 0 -.4rem; }
  .verdict, .path, .finding, figure { padding-left: .9rem; padding-right: .9rem; }
  .command { flex-direction: column; }
}
@media print {
  :root {
    --page: #ffffff; --card: #ffffff; --ink: #000000; --quiet: #4a4f57; --line: #c9c9c9; --grid: #e4e4e4; --accent: #1d5fbf; --accent-soft: #1d5fbf2e;
    --grey: #7b818b; --grey-soft: #7b818b33; --good: #17693f; --fair: #7d5200; --poor: #b3261e; --shade: #f3f3f3;
    color-scheme: light;
  }
  body { font-size: 10.5pt; }
  header, main { max-width: none; padding: 0; }
  nav, .skip, .command button, figure details { display: none; }
  .track li { font-size: .82rem; }
  .scroll { overflow: visible; }
  table { font-size: 8.5pt; }
  .path, .finding, figure, .verdict, tr { break-inside: avoid; }
  .grid-2 { grid-template-columns: 1fr 1fr; gap: .6rem; }
  h2 { margin-top: 1.6rem; }
  h2, h3, h4, figcaption { break-after: avoid; }
  th, td { padding-right: .5rem; }
  tbody th { min-width: 7rem; }
  .remark { min-width: 9rem; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
