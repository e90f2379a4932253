// Places of a lineage's nodes: what is made of something stands to the right of it.
export interface LineageNode {
    kind: "dataset" | "run" | "artifact" | "logged_model" | "model_version"
    name: string
    about: string
    project: string
    distance: number
    run_id?: string | null
    model_id?: string
    experiment_id?: string
    dataset?: string
    digest?: string
    artifact?: string
    model?: string
    version?: number
}

export interface LineageAnswer { nodes: LineageNode[]; edges: { from: number; to: number }[]; complete: boolean }

export interface Placed { x: number; y: number }

export const size = { width: 190, height: 46, gapX: 56, gapY: 14 }

/** The column of each node is the longest way to it; rows are those nearest to what a node hangs on. */
export function placesOf({ nodes, edges }: LineageAnswer): { places: Placed[]; width: number; height: number } {
    const columns = nodes.map(() => 0)
    // A circle would go on for ever: no way is longer than there are nodes.
    for (let round = 0; round < nodes.length; round += 1) {
        let isStill = true
        for (const { from, to } of edges) {
            if (columns[to]! < columns[from]! + 1 && columns[from]! + 1 < nodes.length) {
                columns[to] = columns[from]! + 1
                isStill = false
            }
        }
        if (isStill) break
    }
    // What nothing here was made of stands just before what was made of it.
    nodes.forEach((_, index) => {
        const out = edges.filter(edge => edge.from === index && edge.to !== index)
        if (!edges.some(edge => edge.to === index) && out.length) columns[index] = Math.max(0, Math.min(...out.map(edge => columns[edge.to]!)) - 1)
    })
    const used = Array.from(new Set(columns)).sort((a, b) => a - b)
    const rows = used.map(column => nodes.map((_, index) => index).filter(index => columns[index] === column))
    const row = new Map<number, number>()
    rows.forEach(column => {
        const wish = (index: number): number => {
            const from = edges.filter(edge => edge.to === index && row.has(edge.from)).map(edge => row.get(edge.from)!)
            return from.length ? from.reduce((sum, one) => sum + one, 0) / from.length : column.indexOf(index)
        }
        const wishes = new Map(column.map(index => [index, wish(index)]))
        column.sort((a, b) => wishes.get(a)! - wishes.get(b)! || a - b)
        column.forEach((index, place) => row.set(index, place))
    })
    const most = Math.max(1, ...rows.map(column => column.length))
    const full = most * (size.height + size.gapY) - size.gapY
    const places: Placed[] = nodes.map(() => ({ x: 0, y: 0 }))
    rows.forEach((column, at) => {
        const own = column.length * (size.height + size.gapY) - size.gapY
        column.forEach((index, place) => { places[index] = { x: at * (size.width + size.gapX), y: (full - own) / 2 + place * (size.height + size.gapY) } })
    })
    return { places, width: rows.length * (size.width + size.gapX) - size.gapX, height: full }
}
