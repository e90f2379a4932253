// What a Parquet file says of its columns: a tree of groups and leaves, with how deep each place lies.

export type Fields = Record<number, unknown>

export interface Node {
    name: string
    path: string[]
    repetition: "required" | "optional" | "repeated"
    /** How many optional or repeated ancestors are there where this is, itself included. */
    depth: number
    /** How many repeated ones. */
    repeats: number
    shape: "leaf" | "struct" | "list" | "map"
    children: Node[]
    leaf: Leaf | null
}

export interface Leaf {
    /** Its place among the chunks of each group of rows. */
    place: number
    name: string
    type: number
    size: number
    depth: number
    repeats: number
    logical: Fields | undefined
    converted: number | undefined
}

const types = ["boolean", "int32", "int64", "int96", "float", "double", "bytes", "fixed bytes"]
const nestingMax = 64

export const textOf = (value: unknown): string => (value instanceof Uint8Array ? new TextDecoder().decode(value) : "")

/** The columns, each with all that lies in it. */
export function columnsOf(schema: Fields[]): Node[] {
    let next = 1
    let leaves = 0
    const walk = (parent: Node | null, nesting: number): Node => {
        const element = schema[next++]
        if (!element || nesting > nestingMax) throw new Error("The description of the columns is damaged.")
        const repetition = element[3] === 2 ? "repeated" : element[3] === 1 ? "optional" : "required"
        const [logical, converted, children] = [element[10] as Fields | undefined, element[6] as number | undefined, Number(element[5] ?? 0)]
        const name = textOf(element[4])
        const node: Node = {
            name, path: [...(parent?.path ?? []), name], repetition, depth: (parent?.depth ?? 0) + (repetition === "required" ? 0 : 1), repeats: (parent?.repeats ?? 0) + (repetition === "repeated" ? 1 : 0),
            shape: children === 0 ? "leaf" : logical?.[3] !== undefined || converted === 3 ? "list" : logical?.[2] !== undefined || converted === 1 || converted === 2 ? "map" : "struct", children: [], leaf: null,
        }
        if (children === 0) node.leaf = { place: leaves++, name: node.path.join("."), type: Number(element[1]), size: Number(element[2] ?? 0), depth: node.depth, repeats: node.repeats, logical, converted }
        for (let child = 0; child < children; child += 1) node.children.push(walk(node, nesting + 1))
        // What calls itself a list or a map and is not built as one is shown as it is built.
        const only = node.children.length === 1 ? node.children[0]! : null
        if ((node.shape === "list" || node.shape === "map") && only?.repetition !== "repeated") node.shape = "struct"
        if (node.shape === "map" && only!.children.length !== 2) node.shape = "list"
        return node
    }
    const columns: Node[] = []
    while (next < schema.length) columns.push(walk(null, 0))
    return columns
}

export function leavesOf(node: Node): Leaf[] {
    return node.leaf ? [node.leaf] : node.children.flatMap(leavesOf)
}

/** What a list's repeated part holds: older writers have the elements themselves there, newer ones a group around each. */
export function elementOf(list: Node): Node {
    const repeated = list.children[0]!
    const isElement = repeated.children.length !== 1 || repeated.name === "array" || repeated.name === `${list.name}_tuple` || repeated.children[0]!.repetition === "repeated"
    return isElement ? repeated : repeated.children[0]!
}

export const isText = (leaf: Leaf): boolean => leaf.type === 6 && (leaf.converted === 0 || leaf.converted === 4 || leaf.converted === 19 || [1, 4, 12].some(kind => leaf.logical?.[kind] !== undefined))

/** Milliseconds in one unit of a time; null where it is none. */
export function timeUnit(leaf: Leaf): number | null {
    const unit = ((leaf.logical?.[8] as Fields | undefined)?.[2] ?? {}) as Fields
    if (leaf.logical?.[8] !== undefined) return unit[1] !== undefined ? 1 : unit[2] !== undefined ? 1e-3 : 1e-6
    return leaf.converted === 9 ? 1 : leaf.converted === 10 ? 1e-3 : null
}

export const isDate = (leaf: Leaf): boolean => leaf.converted === 6 || leaf.logical?.[6] !== undefined

export function scaleOf(leaf: Leaf): number | null {
    const decimal = leaf.logical?.[5] as Fields | undefined
    return decimal ? Number(decimal[1] ?? 0) : null
}

export function typeOf(node: Node): string {
    const { leaf } = node
    if (leaf) {
        const word = isText(leaf) ? "text" : timeUnit(leaf) !== null ? "time" : isDate(leaf) ? "date" : scaleOf(leaf) !== null ? "decimal" : types[leaf.type] ?? "unknown"
        return node.repetition === "repeated" ? `list of ${word}` : word
    }
    if (node.shape === "list") return `list of ${typeOf({ ...elementOf(node), repetition: "required" })}`
    if (node.shape === "map") return `map of ${node.children[0]!.children.map(typeOf).join(" to ")}`
    return `${node.repetition === "repeated" ? "list of " : ""}struct of ${node.children.map(child => `${child.name}: ${typeOf(child)}`).join(", ")}`
}
