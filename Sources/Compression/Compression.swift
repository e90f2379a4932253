// Compression: the codings that HTTP knows, as streams. Bytes go in as they come and come out in pieces of a fixed size,
// so that a body of any length passes in constant memory. It knows nothing of HTTP's heads and of files; Series has
// codecs of its own, for points.

/// What bytes may be wrapped in, by its name in HTTP.
package enum ContentCoding: String, Sendable, Hashable, CaseIterable {
    case zstd, gzip, deflate

    /// By any of its names; nil for one that is not spoken here.
    package init?(name: String) {
        switch name.lowercased() {
        case "zstd": self = .zstd
        case "gzip", "x-gzip": self = .gzip
        case "deflate": self = .deflate
        default: return nil
        }
    }
}

/// Why compressed bytes could not be read, or none be made.
package enum CompressionFault: Error, Sendable, Hashable {
    /// Not what the coding says it is, or damaged on its way.
    case damaged
    /// It ends in the middle.
    case cutShort
    case noMemory
}

/// Unpacks or packs one stream, used by one thread at a time.
protocol CodingStep: AnyObject {
    /// Takes some of the input and fills some of the output; `isLast` with the last piece of input. Never returns with
    /// input left and room in the output, unless the stream is at its end.
    func step(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer, isLast: Bool
    ) throws(CompressionFault) -> CodingProgress
}

struct CodingProgress {
    var taken: Int
    var made: Int
    /// The stream is whole: a decoder has seen its end mark, an encoder has written it.
    var isAtEnd: Bool
}

enum PieceSize {
    /// What is handed on at once.
    static let bytes = 64 << 10
}
