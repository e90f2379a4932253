// Colours of series. Ten that people with any common kind of colour blindness tell apart (Okabe and Ito's set, tuned for
// contrast on both grounds); past ten, dashes. A run's colour comes from its number and so never changes.

export interface Stroke {
    colour: string
    dash: number[]
}

const light = ["#2f62c9", "#c2521a", "#0f8a6d", "#a83a8a", "#8a6a00", "#1489b8", "#c22f4e", "#5a5fd0", "#4f7d1f", "#7a5548"]
const dark = ["#7aa2ff", "#ff9a5c", "#3fcfa6", "#ee86cf", "#e2bd4b", "#5cc8f2", "#ff8195", "#a9a4ff", "#a3cf63", "#d3a896"]
const dashes: number[][] = [[], [6, 3], [2, 2], [8, 3, 2, 3]]

export function strokeOf(number: number, theme: string): Stroke {
    const colours = theme === "dark" ? dark : light
    const index = Math.max(0, number)
    return { colour: colours[index % colours.length]!, dash: dashes[Math.floor(index / colours.length) % dashes.length]! }
}

/** `run_07` → 6: numbers begin with one, colours with none. */
export function numberOfShortID(shortID: string | null): number {
    const digits = /(\d+)$/.exec(shortID ?? "")
    return digits ? Number(digits[1]) - 1 : 0
}
