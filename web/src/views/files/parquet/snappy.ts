// Snappy's blocks: pieces taken as they are, and copies of what came before.

export function unsnap(bytes: Uint8Array, size: number): Uint8Array {
    const out = new Uint8Array(size)
    let [at, place] = [0, 0]
    while ((bytes[at++] ?? 0) >= 128);
    while (at < bytes.length) {
        const tag = bytes[at++]!
        let length = (tag >> 2) + 1
        if ((tag & 3) === 0) {
            if (length > 60) {
                const wide = length - 60
                length = 1
                for (let byte = 0; byte < wide; byte += 1) length += bytes[at++]! * 256 ** byte
            }
            if (place + length > size || at + length > bytes.length) throw new Error("The Snappy block is broken.")
            out.set(bytes.subarray(at, at + length), place)
            at += length
            place += length
            continue
        }
        let back: number
        if ((tag & 3) === 1) {
            length = ((tag >> 2) & 7) + 4
            back = ((tag >> 5) << 8) + bytes[at++]!
        } else {
            const wide = (tag & 3) === 2 ? 2 : 4
            back = 0
            for (let byte = 0; byte < wide; byte += 1) back += bytes[at++]! * 256 ** byte
        }
        if (back === 0 || back > place || place + length > size) throw new Error("The Snappy block is broken.")
        // Byte by byte: a copy may overlap itself.
        for (let byte = 0; byte < length; byte += 1, place += 1) out[place] = out[place - back]!
    }
    return out
}
