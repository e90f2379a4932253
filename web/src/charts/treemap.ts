// Squarified treemaps (Bruls, Huizing, van Wijk 2000): rows of rectangles, each as near to a square as its row allows.

export interface Box { x: number; y: number; width: number; height: number }

/** A box for each size, in the order given, which should be from large to small; together they fill the whole. */
export function squarified(sizes: number[], whole: Box): Box[] {
    const total = sizes.reduce((sum, size) => sum + size, 0)
    const boxes: Box[] = []
    if (total <= 0 || whole.width <= 0 || whole.height <= 0) return sizes.map(() => ({ x: whole.x, y: whole.y, width: 0, height: 0 }))
    const scale = (whole.width * whole.height) / total
    let { x, y, width, height } = whole
    let start = 0
    while (start < sizes.length) {
        const side = Math.min(width, height)
        let end = start
        let sum = 0
        let worst = Infinity
        // A row takes in one more while that makes its worst box squarer.
        while (end < sizes.length) {
            const area = sum + sizes[end]! * scale
            const [most, least] = [sizes[start]! * scale, sizes[end]! * scale]
            const ratio = least > 0 ? Math.max((side * side * most) / (area * area), (area * area) / (side * side * least)) : worst
            if (end > start && ratio > worst) break
            ;[sum, worst] = [area, ratio]
            end += 1
        }
        const depth = side > 0 ? sum / side : 0
        let at = 0
        for (let index = start; index < end; index += 1) {
            const length = depth > 0 ? (sizes[index]! * scale) / depth : 0
            boxes.push(width >= height ? { x, y: y + at, width: depth, height: length } : { x: x + at, y, width: length, height: depth })
            at += length
        }
        if (width >= height) [x, width] = [x + depth, Math.max(0, width - depth)]
        else [y, height] = [y + depth, Math.max(0, height - depth)]
        start = end
    }
    return boxes
}
