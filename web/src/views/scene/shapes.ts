// Shapes out of files: OBJ, STL, PLY, GLB, and clouds of points as the Python package writes them. Positions, colours where
// there are any, and triangles where it is a surface.
import { glbShape } from "./glb"

export interface Shape {
    /** x, y, z of each point. */
    points: Float32Array
    /** r, g, b from 0 to 255 of each point. */
    colours: Uint8Array | null
    /** Three places in `points` each. */
    triangles: Uint32Array | null
}

export const shapeEndings = ["obj", "stl", "ply", "glb"]

export function shapeOf(ending: string, bytes: ArrayBuffer): Shape {
    const shape = ending === "stl" ? stl(bytes) : ending === "obj" ? obj(new TextDecoder().decode(bytes)) : ending === "ply" ? ply(bytes)
        : ending === "glb" ? glbShape(bytes) : cloud(new TextDecoder().decode(bytes))
    if (shape.points.length === 0) throw new Error("There are no points in it.")
    return shape
}

/** Rows of x, y, z and, if given, r, g, b; a fourth number alone is a class, as in W&B's clouds. */
function cloud(text: string): Shape {
    const rows = (JSON.parse(text.replace(/("(?:[^"\\]|\\.)*")|\bNaN\b|-?\bInfinity\b/g, (_bare, quoted: string | undefined) => quoted ?? "null")) as { points?: (number | null)[][] }).points
    if (!Array.isArray(rows)) throw new Error("This JSON has no “points”.")
    const good = rows.filter(row => row.length >= 3 && row.slice(0, 3).every(one => typeof one === "number"))
    const hasColours = good.some(row => row.length >= 6)
    const points = new Float32Array(good.length * 3)
    const colours = hasColours ? new Uint8Array(good.length * 3) : null
    // Colours from 0 to 1 are brought to 255.
    const most = hasColours ? good.reduce((found, row) => Math.max(found, row[3] ?? 0, row[4] ?? 0, row[5] ?? 0), 0) : 0
    good.forEach((row, index) => {
        for (let axis = 0; axis < 3; axis += 1) {
            points[index * 3 + axis] = row[axis]!
            if (colours) colours[index * 3 + axis] = (row[3 + axis] ?? 0) * (most <= 1 ? 255 : 1)
        }
    })
    return { points, colours, triangles: null }
}

function obj(text: string): Shape {
    const points: number[] = []
    const triangles: number[] = []
    for (const line of text.split("\n")) {
        const words = line.trim().split(/\s+/)
        if (words[0] === "v") points.push(Number(words[1]), Number(words[2]), Number(words[3]))
        else if (words[0] === "f") {
            // `7/1/2` names a point first; a number below zero counts from the end.
            const corners = words.slice(1).map(word => { const number = parseInt(word, 10); return number < 0 ? points.length / 3 + number : number - 1 })
            for (let index = 2; index < corners.length; index += 1) triangles.push(corners[0]!, corners[index - 1]!, corners[index]!)
        }
    }
    return { points: Float32Array.from(points), colours: null, triangles: triangles.length ? Uint32Array.from(triangles) : null }
}

function stl(bytes: ArrayBuffer): Shape {
    const view = new DataView(bytes)
    const count = bytes.byteLength >= 84 ? view.getUint32(80, true) : -1
    let points: Float32Array
    if (bytes.byteLength === 84 + count * 50) {
        points = new Float32Array(count * 9)
        for (let face = 0; face < count; face += 1) for (let number = 0; number < 9; number += 1) points[face * 9 + number] = view.getFloat32(84 + face * 50 + 12 + number * 4, true)
    } else {
        const found = Array.from(new TextDecoder().decode(bytes).matchAll(/vertex\s+(\S+)\s+(\S+)\s+(\S+)/g))
        points = Float32Array.from(found.flatMap(match => [Number(match[1]), Number(match[2]), Number(match[3])]))
    }
    return { points, colours: null, triangles: Uint32Array.from({ length: points.length / 3 }, (_, index) => index) }
}

const plySizes: Record<string, number> = { char: 1, uchar: 1, int8: 1, uint8: 1, short: 2, ushort: 2, int16: 2, uint16: 2, int: 4, uint: 4, int32: 4, uint32: 4, float: 4, float32: 4, double: 8, float64: 8 }

function ply(bytes: ArrayBuffer): Shape {
    const start = new TextDecoder("latin1").decode(bytes.slice(0, 20_000))
    const headEnd = start.indexOf("end_header")
    if (headEnd < 0) throw new Error("This PLY has no end of its header.")
    const format = /format (\S+)/.exec(start)?.[1] ?? ""
    interface Property { name: string; type: string; countType: string | null }
    const elements: { name: string; count: number; properties: Property[] }[] = []
    for (const line of start.slice(0, headEnd).split("\n")) {
        const words = line.trim().split(/\s+/)
        if (words[0] === "element") elements.push({ name: words[1]!, count: Number(words[2]), properties: [] })
        else if (words[0] === "property") elements[elements.length - 1]?.properties.push(words[1] === "list" ? { name: words[4]!, type: words[3]!, countType: words[2]! } : { name: words[2]!, type: words[1]!, countType: null })
    }
    let place = start.indexOf("\n", headEnd) + 1
    const isText = format === "ascii"
    const words = isText ? new TextDecoder().decode(bytes.slice(place)).split(/\s+/).filter(Boolean) : []
    let word = 0
    const view = new DataView(bytes)
    const isLittle = format !== "binary_big_endian"
    const next = (type: string): number => {
        if (isText) return Number(words[word++])
        const at = place
        place += plySizes[type] ?? 4
        if (/^(float|float32)$/.test(type)) return view.getFloat32(at, isLittle)
        if (/^(double|float64)$/.test(type)) return view.getFloat64(at, isLittle)
        if (/^u/.test(type)) return plySizes[type] === 1 ? view.getUint8(at) : plySizes[type] === 2 ? view.getUint16(at, isLittle) : view.getUint32(at, isLittle)
        return plySizes[type] === 1 ? view.getInt8(at) : plySizes[type] === 2 ? view.getInt16(at, isLittle) : view.getInt32(at, isLittle)
    }
    const points: number[] = []
    const colours: number[] = []
    const triangles: number[] = []
    for (const element of elements) {
        for (let index = 0; index < element.count; index += 1) {
            const row: Record<string, number> = {}
            for (const property of element.properties) {
                if (property.countType === null) { row[property.name] = next(property.type); continue }
                const corners = Array.from({ length: next(property.countType) }, () => next(property.type))
                if (element.name === "face") for (let corner = 2; corner < corners.length; corner += 1) triangles.push(corners[0]!, corners[corner - 1]!, corners[corner]!)
            }
            if (element.name !== "vertex") continue
            points.push(row["x"] ?? 0, row["y"] ?? 0, row["z"] ?? 0)
            if ("red" in row) colours.push(row["red"]!, row["green"] ?? 0, row["blue"] ?? 0)
        }
    }
    return { points: Float32Array.from(points), colours: colours.length ? Uint8Array.from(colours) : null, triangles: triangles.length ? Uint32Array.from(triangles) : null }
}
