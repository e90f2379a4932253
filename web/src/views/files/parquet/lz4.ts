// LZ4's blocks: pieces taken as they are, each followed by a copy of what came before.

export function unlz4(bytes: Uint8Array, size: number): Uint8Array {
    const out = new Uint8Array(size)
    let [at, place] = [0, 0]
    const longer = (length: number): number => {
        if (length !== 15) return length
        for (let byte = 255; byte === 255; length += byte) byte = bytes[at++] ?? 0
        return length
    }
    while (at < bytes.length) {
        const token = bytes[at++]!
        const plain = longer(token >> 4)
        if (at + plain > bytes.length || place + plain > size) throw new Error("The LZ4 block is damaged.")
        out.set(bytes.subarray(at, at + plain), place)
        at += plain
        place += plain
        // The last piece has no copy.
        if (at >= bytes.length) break
        const back = bytes[at]! + (bytes[at + 1] ?? 0) * 256
        at += 2
        const length = longer(token & 15) + 4
        if (back === 0 || back > place || place + length > size) throw new Error("The LZ4 block is damaged.")
        // Byte by byte: a copy may overlap itself.
        for (let byte = 0; byte < length; byte += 1, place += 1) out[place] = out[place - back]!
    }
    if (place !== size) throw new Error("The LZ4 block is damaged.")
    return out
}
