"""Line plots as SVG: no script, no network; colours come from the page's style."""

import html
import math

WIDTH, HEIGHT = 420, 210
LEFT, RIGHT, TOP, BOTTOM = 52, 22, 26, 38
COLOURS = 7


def figure(title, x_unit, y_unit, lines, log=False, marks=()):
    """A titled plot of lines [(name, [(x, y or None)])] with labelled axes, and a legend where there are several lines.
    `marks` are [(x, name)]: dashed uprights."""
    lines = [(name, points) for name, points in lines if any(y is not None for _, y in points)]
    if not lines:
        return ""
    legend = ""
    if len(lines) > 1:
        keys = "".join(
            f'<li><i class="c{index % COLOURS}"></i>{html.escape(name)}</li>' for index, (name, _) in enumerate(lines)
        )
        legend = f"<ul class=legend>{keys}</ul>"
    return f"<figure><figcaption>{html.escape(title)}</figcaption>{legend}{svg(title, x_unit, y_unit, lines, log, marks)}</figure>"


def svg(title, x_unit, y_unit, lines, log, marks):
    xs = [x for _, points in lines for x, _ in points]
    ys = [y for _, points in lines for _, y in points if y is not None]
    x_ticks = linear_ticks(min(0, *xs), max(xs), 6)
    positive = [y for y in ys if y > 0]
    log = log and bool(positive)
    y_ticks = log_ticks(min(positive), max(positive)) if log else linear_ticks(0, max(ys) or 1, 5)
    x_low, x_high = x_ticks[0], max(max(xs), x_ticks[1])
    x_ticks = [tick for tick in x_ticks if tick <= x_high]
    y_low, y_high = y_ticks[0], y_ticks[-1]
    across = lambda x: LEFT + (x - x_low) / (x_high - x_low) * (WIDTH - LEFT - RIGHT)

    def up(y):
        share = (
            (math.log10(max(y, y_low) / y_low) / math.log10(y_high / y_low)) if log else (y - y_low) / (y_high - y_low)
        )
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    parts = [f'<text class=unit x="4" y="10">{html.escape(y_unit)}</text>']
    for tick in y_ticks:
        parts.append(f'<line class=grid x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up(tick):.1f}" y2="{up(tick):.1f}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{up(tick) + 3.5:.1f}" text-anchor=end>{number(tick)}</text>')
    for tick in x_ticks:
        parts.append(
            f'<line class=tick x1="{across(tick):.1f}" x2="{across(tick):.1f}" y1="{HEIGHT - BOTTOM}" y2="{HEIGHT - BOTTOM + 4}"/>'
        )
        parts.append(
            f'<text x="{across(tick):.1f}" y="{HEIGHT - BOTTOM + 15}" text-anchor=middle>{number(tick)}</text>'
        )
    parts.append(f'<line class=axis x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{HEIGHT - BOTTOM}" y2="{HEIGHT - BOTTOM}"/>')
    parts.append(
        f'<text class=unit x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 5}" text-anchor=middle>{html.escape(x_unit)}</text>'
    )
    for x, name in marks:
        parts.append(f'<line class=mark x1="{across(x):.1f}" x2="{across(x):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        end = across(x) > WIDTH * 0.7
        parts.append(
            f'<text class=mark x="{across(x) + (-4 if end else 4):.1f}" y="{TOP + 9}" text-anchor={"end" if end else "start"}>{html.escape(name)}</text>'
        )
    for index, (_, points) in enumerate(lines):
        for run in unbroken(points):
            path = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in run)
            parts.append(f'<polyline class="c{index % COLOURS}" points="{path}"/>')
            # A point between two gaps would have no line.
            if len(points) <= 16 or len(run) == 1:
                parts += [
                    f'<circle class="c{index % COLOURS}" cx="{across(x):.1f}" cy="{up(y):.1f}" r="2.2"/>'
                    for x, y in run
                ]
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role=img aria-label="{html.escape(title)}">{"".join(parts)}</svg>'


def unbroken(points):
    """The stretches of points that have a value."""
    run = []
    for x, y in points:
        if y is None:
            if run:
                yield run
            run = []
        else:
            run.append((x, y))
    if run:
        yield run


def linear_ticks(low, high, most):
    """From `low` to at least `high` in steps of 1, 2 or 5 times a power of ten."""
    span = max(high - low, 1e-9)
    power = 10 ** math.floor(math.log10(span / most))
    step = next(factor * power for factor in (1, 2, 5, 10) if span / (factor * power) <= most)
    first = math.floor(low / step)
    last = max(math.ceil(high / step - 1e-9), first + 1)
    return [round(index * step, 10) for index in range(first, last + 1)]


def log_ticks(low, high):
    """Powers of ten around all values."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return [10.0**power for power in range(first, max(last, first + 1) + 1)]


def number(value):
    """Short enough for an axis."""
    if abs(value) >= 1e6:
        return f"{value / 1e6:g}M"
    return f"{value:,.0f}" if abs(value) >= 10 or value == 0 else f"{value:.4g}"
