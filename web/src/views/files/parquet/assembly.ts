// Rows out of the leaves of a nested column: levels say where a list begins and how far down a path there is something. What comes
// out is written as JSON is, with exact numbers: cells of the table hold no trees.
import type { Cell } from "../../table/cells"
import { wordsOf } from "../../table/cells"
import type { Entries } from "./chunk"
import { type Node, elementOf, leavesOf } from "./schema"

type Tree = Cell | Tree[] | Record | Pairs
class Record { constructor(readonly names: string[], readonly values: Tree[]) {} }
class Pairs { constructor(readonly keys: Tree[], readonly values: Tree[]) {} }

interface Cursor extends Entries { at: number }

export function assembled(column: Node, leaves: Map<number, Entries>, rows: number): Cell[] {
    const cursors = new Map(leavesOf(column).map(leaf => [leaf.place, { ...leaves.get(leaf.place)!, at: 0 } as Cursor]))
    const under = new Map<Node, Cursor[]>()
    const cursorsOf = (node: Node): Cursor[] => {
        let found = under.get(node)
        if (!found) under.set(node, found = leavesOf(node).map(leaf => cursors.get(leaf.place)!))
        return found
    }
    const depthAt = (cursor: Cursor): number => {
        if (cursor.at >= cursor.values.length) throw new Error("The parts of a nested column do not fit together.")
        return cursor.depths[cursor.at]!
    }
    const field = (node: Node): Tree => {
        const below = cursorsOf(node)
        if (node.repetition === "required") return value(node)
        if (depthAt(below[0]!) < node.depth) {
            for (const cursor of below) cursor.at += 1
            return node.repetition === "repeated" ? [] : null
        }
        if (node.repetition === "optional") return value(node)
        const items: Tree[] = []
        do items.push(value(node)); while (below[0]!.at < below[0]!.values.length && below[0]!.repeats[below[0]!.at] === node.repeats)
        return items
    }
    const value = (node: Node): Tree => {
        if (node.leaf) {
            const cursor = cursorsOf(node)[0]!
            depthAt(cursor)
            return exact(node, cursor.values[cursor.at++])
        }
        if (node.shape === "list") {
            const items = field(node.children[0]!) as Tree[]
            return elementOf(node) === node.children[0] ? items : items.map(item => (item as Record).values[0]!)
        }
        if (node.shape === "map") {
            const entries = field(node.children[0]!) as Record[]
            return new Pairs(entries.map(entry => entry.values[0]!), entries.map(entry => entry.values[1]!))
        }
        return new Record(node.children.map(child => child.name), node.children.map(field))
    }
    return Array.from({ length: rows }, () => { const tree = field(column); return tree === null ? null : written(tree) })
}

/** Numbers of 32 bits by their own digits: 0.1, and not what it is in 64. */
function exact(node: Node, value: Cell): Cell {
    if (node.leaf!.type !== 4 || typeof value !== "number" || !Number.isFinite(value)) return value
    for (let digits = 6; digits < 9; digits += 1) {
        const short = Number(value.toPrecision(digits))
        if (Math.fround(short) === value) return short
    }
    return value
}

function written(tree: Tree): string {
    if (tree === null || tree === undefined) return "null"
    if (Array.isArray(tree)) return `[${(tree as Tree[]).map(written).join(", ")}]`
    if (tree instanceof Record) return `{${tree.names.map((name, index) => `${JSON.stringify(name)}: ${written(tree.values[index])}`).join(", ")}}`
    if (tree instanceof Pairs) return `{${tree.keys.map((key, index) => `${typeof key === "string" ? JSON.stringify(key) : `"${written(key).replace(/"/g, "'")}"`}: ${written(tree.values[index])}`).join(", ")}}`
    if (tree instanceof Date) return JSON.stringify(wordsOf(tree))
    return typeof tree === "string" ? JSON.stringify(tree) : String(tree)
}
