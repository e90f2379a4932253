/// Unpacks one body, piece by piece. Used by one thread at a time.
package final class Decoder {
    private let step: any CodingStep
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: PieceSize.bytes, alignment: 16)
    /// The packed and the unpacked bytes so far.
    package private(set) var bytesIn = 0
    package private(set) var bytesOut = 0
    private var isAtEnd = false

    package init(_ coding: ContentCoding) throws(CompressionFault) {
        step =
            switch coding {
            case .zstd: try ZstdReading()
            case .gzip: InflateReading(.gzip)
            case .deflate: InflateReading(.deflate)
            }
    }

    deinit { buffer.deallocate() }

    /// Unpacks more; `sink` gets pieces of at most 64 KiB, valid during the call, and says whether to go on. False when
    /// it did not want to.
    package func decode(
        _ bytes: UnsafeRawBufferPointer, _ sink: (UnsafeRawBufferPointer) -> Bool
    ) throws(CompressionFault) -> Bool {
        bytesIn += bytes.count
        var rest = bytes
        while true {
            // What follows a whole stream is another one: so say both formats.
            if isAtEnd, rest.isEmpty { return true }
            let progress = try step.step(rest, buffer, isLast: false)
            isAtEnd = progress.isAtEnd
            if progress.taken + progress.made == 0, !rest.isEmpty { throw .damaged }
            bytesOut += progress.made
            rest = UnsafeRawBufferPointer(rebasing: rest[progress.taken...])
            if progress.made > 0,
                !sink(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<progress.made]))
            {
                return false
            }
            if rest.isEmpty, progress.made < buffer.count { return true }
        }
    }

    /// The body is complete; throws when the packed stream is not. No bytes at all are an empty body.
    package func finish() throws(CompressionFault) {
        if !isAtEnd, bytesIn > 0 { throw .cutShort }
    }
}
