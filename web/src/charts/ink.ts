// The colours that charts are drawn in.

export interface Ink {
    text: string
    grid: string
    axis: string
    ground: string
    bad: string
    font: string
}

/** Colours of the page's theme, read once for each drawing. */
export function inkOf(element: Element): Ink {
    const style = getComputedStyle(element)
    const of = (name: string): string => style.getPropertyValue(name).trim()
    return {
        text: of("--fg-muted"), grid: of("--grid"), axis: of("--line-strong"), ground: of("--raised"), bad: of("--bad"),
        font: `11px ${of("--font") || "sans-serif"}`,
    }
}
