// The surfaces of a GLB (glTF 2.0 in one file): positions and triangles of every mesh where its node puts it. Materials,
// skins and compressed meshes are left out.
import type { Shape } from "./shapes"

interface Accessor { bufferView?: number; byteOffset?: number; componentType: number; count: number; type: string }
interface Node { mesh?: number; children?: number[]; matrix?: number[]; translation?: number[]; rotation?: number[]; scale?: number[] }
interface Document {
    scene?: number
    scenes?: { nodes?: number[] }[]
    nodes?: Node[]
    meshes?: { primitives: { attributes: Record<string, number>; indices?: number; mode?: number }[] }[]
    accessors?: Accessor[]
    bufferViews?: { byteOffset?: number; byteLength: number; byteStride?: number }[]
    extensionsRequired?: string[]
}

const sizes: Record<number, number> = { 5120: 1, 5121: 1, 5122: 2, 5123: 2, 5125: 4, 5126: 4 }
const widths: Record<string, number> = { SCALAR: 1, VEC2: 2, VEC3: 3, VEC4: 4 }
const still = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]

export function glbShape(bytes: ArrayBuffer): Shape {
    const view = new DataView(bytes)
    if (bytes.byteLength < 20 || view.getUint32(0, true) !== 0x46546c67) throw new Error("This is no GLB.")
    const length = view.getUint32(12, true)
    const document = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 20, length))) as Document
    if (document.extensionsRequired?.length) throw new Error(`This GLB needs ${document.extensionsRequired.join(", ")}, which is not read here.`)
    const data = 20 + length + 8
    const read = (index: number): number[] => {
        const accessor = document.accessors![index]!
        const holder = document.bufferViews![accessor.bufferView ?? 0]!
        const [width, size] = [widths[accessor.type] ?? 1, sizes[accessor.componentType] ?? 4]
        const stride = holder.byteStride ?? width * size
        const start = data + (holder.byteOffset ?? 0) + (accessor.byteOffset ?? 0)
        const one = (at: number): number => accessor.componentType === 5126 ? view.getFloat32(at, true) : size === 1 ? view.getUint8(at) : size === 2 ? view.getUint16(at, true) : view.getUint32(at, true)
        return Array.from({ length: accessor.count * width }, (_, number) => one(start + Math.floor(number / width) * stride + (number % width) * size))
    }
    const points: number[] = []
    const triangles: number[] = []
    const visit = (place: number, above: number[], depth: number): void => {
        const node = document.nodes?.[place]
        if (!node || depth > 64) return
        const matrix = product(above, node.matrix ?? placed(node))
        for (const part of node.mesh === undefined ? [] : document.meshes?.[node.mesh]?.primitives ?? []) {
            const positions = part.attributes["POSITION"]
            if (positions === undefined) continue
            const first = points.length / 3
            const found = read(positions)
            for (let at = 0; at < found.length; at += 3) {
                for (let axis = 0; axis < 3; axis += 1) points.push(matrix[axis]! * found[at]! + matrix[4 + axis]! * found[at + 1]! + matrix[8 + axis]! * found[at + 2]! + matrix[12 + axis]!)
            }
            if ((part.mode ?? 4) !== 4) continue
            const order = part.indices === undefined ? Array.from({ length: found.length / 3 }, (_, index) => index) : read(part.indices)
            for (const index of order) triangles.push(first + index)
        }
        for (const child of node.children ?? []) visit(child, matrix, depth + 1)
    }
    const roots = document.scenes?.[document.scene ?? 0]?.nodes ?? (document.nodes ?? []).map((_, index) => index)
    for (const root of roots) visit(root, still, 0)
    return { points: Float32Array.from(points), colours: null, triangles: triangles.length ? Uint32Array.from(triangles) : null }
}

/** Columns first, as glTF has them. */
function product(a: number[], b: number[]): number[] {
    return Array.from({ length: 16 }, (_, at) => [0, 1, 2, 3].reduce((sum, k) => sum + a[k * 4 + (at % 4)]! * b[Math.floor(at / 4) * 4 + k]!, 0))
}

function placed({ translation: t = [0, 0, 0], rotation: r = [0, 0, 0, 1], scale: s = [1, 1, 1] }: Node): number[] {
    const [x, y, z, w] = r as [number, number, number, number]
    return [
        (1 - 2 * (y * y + z * z)) * s[0]!, 2 * (x * y + z * w) * s[0]!, 2 * (x * z - y * w) * s[0]!, 0,
        2 * (x * y - z * w) * s[1]!, (1 - 2 * (x * x + z * z)) * s[1]!, 2 * (y * z + x * w) * s[1]!, 0,
        2 * (x * z + y * w) * s[2]!, 2 * (y * z - x * w) * s[2]!, (1 - 2 * (x * x + y * y)) * s[2]!, 0,
        t[0]!, t[1]!, t[2]!, 1,
    ]
}
