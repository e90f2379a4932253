// What differs between two texts, line by line: the least number of lines out and in (Myers).

export type Edit = { kind: "same" | "out" | "in"; text: string }

/** Texts that have less in common than this are shown as one out and the other in. */
const editsMax = 1500

/** `alike` says when two lines count as one, by making them equal. */
export function differenceOf(before: string[], after: string[], alike: (line: string) => string = line => line): Edit[] {
    const [a, b] = [before.map(alike), after.map(alike)]
    let start = 0
    while (start < a.length && start < b.length && a[start] === b[start]) start += 1
    let [endA, endB] = [a.length, b.length]
    while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
        endA -= 1
        endB -= 1
    }
    const same = (line: string): Edit => ({ kind: "same", text: line })
    return [
        ...before.slice(0, start).map(same),
        ...middle(before, after, a, b, start, endA, endB),
        ...before.slice(endA).map(same),
    ]
}

function middle(before: string[], after: string[], a: string[], b: string[], start: number, endA: number, endB: number): Edit[] {
    const [n, m] = [endA - start, endB - start]
    const most = Math.min(n + m, editsMax)
    const furthest = new Int32Array(2 * most + 3)
    const trail: Int32Array[] = []
    for (let edits = 0; edits <= most; edits += 1) {
        // Only the diagonals that this round may read are kept.
        trail.push(furthest.slice(most + 1 - edits - 1, most + 1 + edits + 2))
        for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
            const at = most + 1 + diagonal
            let x = diagonal === -edits || (diagonal !== edits && furthest[at - 1]! < furthest[at + 1]!) ? furthest[at + 1]! : furthest[at - 1]! + 1
            while (x < n && x - diagonal < m && a[start + x] === b[start + x - diagonal]) x += 1
            furthest[at] = x
            if (x >= n && x - diagonal >= m) return walkBack(before, after, start, n, m, trail)
        }
    }
    return [
        ...before.slice(start, endA).map(text => ({ kind: "out" as const, text })),
        ...after.slice(start, endB).map(text => ({ kind: "in" as const, text })),
    ]
}

function walkBack(before: string[], after: string[], start: number, n: number, m: number, trail: Int32Array[]): Edit[] {
    const edits: Edit[] = []
    let [x, y] = [n, m]
    for (let round = trail.length - 1; round >= 0; round -= 1) {
        const known = trail[round]!
        const at = (diagonal: number): number => known[diagonal + round + 1]!
        const diagonal = x - y
        const isIn = diagonal === -round || (diagonal !== round && at(diagonal - 1) < at(diagonal + 1))
        const from = round === 0 ? { x: 0, y: 0 } : { x: at(isIn ? diagonal + 1 : diagonal - 1), y: 0 }
        if (round > 0) from.y = from.x - (isIn ? diagonal + 1 : diagonal - 1)
        while (x > from.x && y > from.y) {
            x -= 1
            y -= 1
            edits.push({ kind: "same", text: before[start + x]! })
        }
        if (round === 0) break
        if (isIn) edits.push({ kind: "in", text: after[start + from.y]! })
        else edits.push({ kind: "out", text: before[start + from.x]! })
        x = from.x
        y = from.y
    }
    return edits.reverse()
}

/** Lines as a terminal shows them in the end: a bar that redraws itself as it stood last, without colours. */
export function linesOf(text: string): string[] {
    const lines = text.split("\n")
    if (lines[lines.length - 1] === "") lines.pop()
    return lines.map(line => line.slice(line.lastIndexOf("\r", line.length - 2) + 1).replace(/\u001b\[[0-9;]*[A-Za-z]/g, "").replace(/\r$/, ""))
}

/** Edits with so many same lines around them; a number stands for the lines left out. */
export function hunksOf(edits: Edit[], around = 3): (Edit | number)[] {
    const shown = new Uint8Array(edits.length)
    edits.forEach((edit, index) => {
        if (edit.kind !== "same") shown.fill(1, Math.max(0, index - around), Math.min(edits.length, index + around + 1))
    })
    const made: (Edit | number)[] = []
    let left = 0
    edits.forEach((edit, index) => {
        if (!shown[index]) {
            left += 1
            return
        }
        if (left) made.push(left)
        left = 0
        made.push(edit)
    })
    if (left) made.push(left)
    return made
}
