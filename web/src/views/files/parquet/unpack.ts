// How pages are packed.
import { unzstd } from "../zstd/unzstd"
import { unlz4 } from "./lz4"
import { unsnap } from "./snappy"

const codecs = ["none", "Snappy", "gzip", "LZO", "Brotli", "LZ4 of Hadoop", "Zstandard", "LZ4"]
const known = new Set([0, 1, 2, 6, 7])

// TypeScript's own list of what browsers have is older than this one.
declare const DecompressionStream: new (format: "gzip") => ReadableWritablePair<Uint8Array, Uint8Array>

/** Why a codec is not read here; empty where it is. */
export function whyNot(codec: number): string {
    return known.has(codec) ? "" : `packed by ${codecs[codec] ?? `codec ${codec}`}, which is not unpacked here`
}

export async function unpacked(bytes: Uint8Array, codec: number, size: number): Promise<Uint8Array> {
    if (codec === 0 || bytes.length === 0) return bytes
    if (codec === 1) return unsnap(bytes, size)
    if (codec === 6) return unzstd(bytes, size)
    if (codec === 7) return unlz4(bytes, size)
    if (codec !== 2) throw new Error(`It is ${whyNot(codec)}.`)
    try {
        const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))
        return new Uint8Array(await new Response(stream).arrayBuffer())
    } catch {
        throw new Error("The gzip data is damaged.")
    }
}
