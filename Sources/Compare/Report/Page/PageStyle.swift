/// The style sheet of the page: light and dark by the reader's wish, and plain on paper.
enum PageStyle {
  private static let colours = """
    :root { color-scheme: light dark; --paper: #ffffff; --ink: #1c2024; --soft: #5f6973; --rule: #e3e7eb;
      --panel: #f7f8fa; --register: #0b6bcb; --raft: #c2570c; --etcd: #5b7f2b; --shade: #d92d2018; --warn: #b42318; }
    @media (prefers-color-scheme: dark) { :root { --paper: #14171a; --ink: #e6e9ec; --soft: #9aa5b0; --rule: #2c3238;
      --panel: #1b1f23; --register: #5cabff; --raft: #f59a56; --etcd: #a3c76d; --shade: #f9706626; --warn: #ff8f85; } }
    """

  private static let marks = """
    svg text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; fill: var(--soft); }
    svg .group { fill: var(--ink); }
    svg .shade-label { fill: var(--warn); }
    svg .grid { stroke: var(--rule); stroke-width: 1; }
    svg .axis { stroke: var(--soft); stroke-width: 1; }
    svg .shade { fill: var(--shade); }
    svg .curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
    svg .whisker { stroke-width: 1.3; opacity: 0.75; }
    svg .whisker.dark { stroke: var(--ink); opacity: 0.65; }
    svg .dashed { stroke-dasharray: 7 4; }
    svg .dotted { stroke-dasharray: 2 3; }
    svg .register { stroke: var(--register); } svg .raft { stroke: var(--raft); } svg .etcd { stroke: var(--etcd); }
    svg .mark { stroke: var(--paper); stroke-width: 1; }
    svg .mark.register, svg .bar.register, svg .area.register { fill: var(--register); }
    svg .mark.raft, svg .bar.raft, svg .area.raft { fill: var(--raft); }
    svg .mark.etcd, svg .bar.etcd, svg .area.etcd { fill: var(--etcd); }
    svg .bar, svg .area { stroke: none; }
    svg .area { opacity: 0.85; }
    """

  /// For a plot that stands alone.
  static let plots = "\(colours)\n\(marks)"

  static let css = """
    \(colours)
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--paper); color: var(--ink);
      font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
    main { max-width: 1120px; margin: 0 auto; padding: 28px 20px 80px; }
    h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 4px; }
    h2 { font-size: 1.3rem; margin: 56px 0 6px; padding-top: 18px; border-top: 1px solid var(--rule); }
    h2 .name { font: 0.8rem ui-monospace, monospace; color: var(--soft); margin-left: 10px; font-weight: normal; }
    h3 { font-size: 0.95rem; margin: 0 0 2px; }
    p { max-width: 76ch; margin: 8px 0; }
    .soft { color: var(--soft); font-size: 0.9rem; }
    nav { margin: 18px 0; line-height: 2; }
    nav a { margin-right: 14px; white-space: nowrap; }
    a { color: var(--register); text-decoration: none; }
    a:hover { text-decoration: underline; }
    ul.reading { padding-left: 1.1rem; margin: 14px 0; max-width: 92ch; }
    ul.reading li { margin: 3px 0; }
    .verdict { border-left: 3px solid var(--rule); padding-left: 12px; margin: 10px 0; }
    .notice { border-left: 3px solid var(--warn); padding: 4px 12px; background: var(--panel); }
    .plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 460px), 1fr)); gap: 26px;
      margin-top: 18px; align-items: start; }
    figure { margin: 0; min-width: 0; break-inside: avoid; }
    svg.plot { width: 100%; height: auto; display: block; overflow: visible; }
    \(marks)
    details { margin-top: 6px; font-size: 0.85rem; }
    summary { cursor: pointer; color: var(--soft); }
    .table { overflow-x: auto; }
    table { border-collapse: collapse; margin: 8px 0; font-variant-numeric: tabular-nums; }
    th, td { text-align: left; padding: 3px 16px 3px 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
    td.number, th.number { text-align: right; white-space: nowrap; }
    th { font-weight: 600; }
    code { font: 0.88em ui-monospace, monospace; background: var(--panel); padding: 1px 4px; border-radius: 3px; }
    @media print { :root { --paper: #fff; --ink: #000; --soft: #444; --rule: #ccc; --register: #0b6bcb;
      --raft: #c2570c; --etcd: #5b7f2b; } nav { display: none; } h2 { break-after: avoid; } main { padding: 0; }
      .plots { grid-template-columns: 1fr 1fr; } }
    """
}
