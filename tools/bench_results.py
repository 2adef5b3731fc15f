"""Ratios from lines of JSON: a table, and a bar chart in SVG."""
import statistics
from html import escape

OURS = ("taugrad", "taugrad-limit", "taugrad-bf16")
QUIET = 0.04  # of the cores' time: what other programs take of a run that counts as undisturbed
MIB = 8  # of weights that one step of lstm-infer reads: 2 * 512 * 2048 floats


def figure(line):
    """The milliseconds that a line is known by: of a training step, else of a forward run."""
    return line["fwd_bwd_ms"] if line.get("fwd_bwd_ms") is not None else line.get("fwd_ms")


def medians(lines, workload, threads):
    """Of each program: the median over rounds, and all figures; of undisturbed runs where there are any."""
    found = {}
    for line in lines:
        of_weights = workload == "lstm-infer" and line.get("workload") == f"{MIB}MiB"
        if line.get("threads") != threads or not (of_weights or line.get("workload") == workload):
            continue
        # the limit of one step of lstm-infer is the time to read its weights
        peer, ms = ("limit-bandwidth", MIB * 1.048576 / line["gb_s"]) if of_weights else (line["peer"], figure(line))
        if ms:
            found.setdefault(peer, []).append((line.get("others", 0) >= QUIET, ms))
    undisturbed = {peer: sorted(ms for disturbed, ms in values if not disturbed) for peer, values in found.items()}
    chosen = {peer: undisturbed[peer] or sorted(ms for _, ms in values) for peer, values in found.items()}
    return {peer: (statistics.median(values), values) for peer, values in chosen.items()}


def best(found, wanted):
    """The fastest program that is `wanted`, as (name, ms), or None."""
    return min(((peer, ms) for peer, (ms, _) in found.items() if wanted(peer)), key=lambda x: x[1], default=None)


def row(lines, workload, threads):
    found = medians(lines, workload, threads)
    if "taugrad" not in found:
        return None
    ms, all_ms = found["taugrad"]
    limit = best(found, lambda p: p.startswith("limit-") and "bf16" not in p)
    # onednn computes the recurrence and its input projection only: shown, but no full peer
    peer = best(found, lambda p: not p.startswith("limit-") and not p.startswith("onednn") and p not in OURS)
    part = best(found, lambda p: p.startswith("onednn") and "bf16" not in p)
    r = {"workload": workload, "threads": threads, "ms": ms, "least": all_ms[0], "most": all_ms[-1]}
    for key, value in (("limit", limit), ("peer", peer), ("onednn", part)):
        if value:
            r[key], r[f"{key}_ms"], r[f"of_{key}"] = value[0], value[1], ms / value[1]
    if "taugrad-limit" in found:
        r["own_limit_ms"] = found["taugrad-limit"][0]
    if "taugrad-bf16" in found:
        r["bf16_ms"] = found["taugrad-bf16"][0]
        if "limit-bf16" in found:
            r["bf16_limit_ms"] = found["limit-bf16"][0]
            r["of_bf16_limit"] = r["bf16_ms"] / r["bf16_limit_ms"]
        if peer:
            r["bf16_of_peer"] = r["bf16_ms"] / peer[1]
    return r


def rows(lines, workloads, threads):
    found = [row(lines, w, n) for w in workloads for n in threads]
    return [r for r in found if r]


def cell(r, key, form="{:.4g}"):
    return form.format(r[key]) if key in r else "-"


def named(r, key):
    return f"{r[key]} {r[f'{key}_ms']:.4g}" if key in r else "-"


def table(found):
    """Markdown: ours over the best limit, the best full peer and oneDNN's recurrence."""
    lines = ["| workload | threads | taugrad ms | least..most | own products | best limit | x limit | best peer | x peer "
             "| x oneDNN |", "|---|--:|--:|--:|--:|---|--:|---|--:|--:|"]
    for r in found:
        spread = f"{r['least']:.4g}..{r['most']:.4g}"
        lines.append(f"| {r['workload']} | {r['threads']} | {r['ms']:.4g} | {spread} | {cell(r, 'own_limit_ms')} | "
                     f"{named(r, 'limit')} | {cell(r, 'of_limit', '{:.2f}')} | {named(r, 'peer')} | "
                     f"{cell(r, 'of_peer', '{:.2f}')} | {cell(r, 'of_onednn', '{:.2f}')} |")
    return "\n".join(lines)


def bf16_table(found):
    """Markdown: products in bfloat16 over their limit, over f32 and over the best full peer in f32."""
    lines = ["| workload, bf16 | threads | taugrad ms | x own f32 | bf16 limit | x limit | x best peer, f32 |",
             "|---|--:|--:|--:|--:|--:|--:|"]
    for r in found:
        if "bf16_ms" in r:
            lines.append(f"| {r['workload']} | {r['threads']} | {r['bf16_ms']:.4g} | {r['bf16_ms'] / r['ms']:.2f} | "
                         f"{cell(r, 'bf16_limit_ms')} | {cell(r, 'of_bf16_limit', '{:.2f}')} | "
                         f"{cell(r, 'bf16_of_peer', '{:.2f}')} |")
    return "\n".join(lines) if len(lines) > 2 else ""


def bars_of(r):
    """Bars of a group, in units of its limit, or of ours where there is none."""
    unit = r.get("limit_ms", r["ms"])
    bars = [("taugrad", r["ms"] / unit, "#2563eb")]
    if "peer" in r:
        bars.append((r["peer"], r["peer_ms"] / unit, "#9ca3af"))
    if "onednn" in r:
        bars.append((r["onednn"] + " (recurrence only)", r["onednn_ms"] / unit, "#d1d5db"))
    return bars


def chart(found):
    """Times over the best limit of the matrix products: a group of bars for each row of the table."""
    left, width, bar, gap, top = 170, 480, 14, 14, 48
    groups = [(f"{r['workload']}, {r['threads']} thread{'s' if r['threads'] > 1 else ''}", bars_of(r)) for r in found]
    most = 4.0
    height = top + sum(len(bars) * bar + gap for _, bars in groups) + 8
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 200}" height="{height}" '
           'font-family="sans-serif" font-size="11">', '<rect width="100%" height="100%" fill="white"/>',
           '<text x="8" y="18" font-size="13">Time of a step over that of its matrix products alone (best fp32 limit)</text>']
    for mark in range(int(most) + 1):
        x = left + width * mark / most
        out.append(f'<line x1="{x:.1f}" y1="{top - 8}" x2="{x:.1f}" y2="{height}" stroke="{"#111" if mark == 1 else "#ddd"}"/>')
        out.append(f'<text x="{x:.1f}" y="{top - 12}" text-anchor="middle">{mark}</text>')
    y = top
    for title, bars in groups:
        middle = y + len(bars) * bar / 2 + 4
        out.append(f'<text x="{left - 6}" y="{middle:.1f}" text-anchor="end">{escape(title)}</text>')
        for name, value, colour in bars:
            length = width * min(value, most) / most
            out.append(f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{bar - 2}" fill="{colour}"/>')
            label = f"{value:.2f} {name}" + (" (cut)" if value > most else "")
            out.append(f'<text x="{left + length + 4:.1f}" y="{y + bar - 4}">{escape(label)}</text>')
            y += bar
        y += gap
    return "\n".join(out) + "\n</svg>\n"
