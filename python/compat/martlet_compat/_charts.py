"""Small bar charts: a PNG where matplotlib is there, else an SVG drawn by hand."""

from __future__ import annotations

from html import escape


def bars(title, pairs, axis):
    """A file's suffix and bytes."""
    try:
        return ".png", _png(title, pairs, axis)
    except ImportError:
        return ".svg", _svg(title, pairs, axis).encode()


def _png(title, pairs, axis):
    import io

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # Not through pyplot, whose windows and current figure are the user's.
    figure = Figure(figsize=(6.4, 1.2 + 0.45 * max(1, len(pairs))), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.barh([name for name, _ in pairs][::-1], [value for _, value in pairs][::-1], color="#2f6f9f")
    axes.set_title(title)
    axes.set_xlabel(axis)
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=120)
    return out.getvalue()


def _svg(title, pairs, axis):
    most = max((abs(value) for _, value in pairs), default=0) or 1
    height = 56 + 26 * len(pairs)
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" width="640" height="%d" font-family="sans-serif" font-size="13">'
             % height, '<text x="8" y="20" font-weight="bold">%s</text>' % escape(title)]
    for at, (name, value) in enumerate(pairs):
        y = 34 + 26 * at
        parts.append('<text x="8" y="%d">%s</text>' % (y + 14, escape(str(name))))
        parts.append('<rect x="200" y="%d" width="%.1f" height="18" fill="#2f6f9f"/>' % (y, 380 * abs(value) / most))
        parts.append('<text x="%.1f" y="%d">%.3g</text>' % (206 + 380 * abs(value) / most, y + 14, value))
    parts.append('<text x="200" y="%d">%s</text></svg>' % (height - 6, escape(axis)))
    return "\n".join(parts) + "\n"
