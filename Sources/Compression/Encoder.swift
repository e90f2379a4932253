/// Packs one body, piece by piece. Used by one thread at a time.
///
/// The levels are the fast ones: an answer is packed once for one client, and a slow level would cost more time than its
/// bytes save on any network but the slowest.
package final class Encoder {
    private let step: any CodingStep
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: PieceSize.bytes, alignment: 16)

    /// `size` where it is known beforehand: a small body then takes less memory.
    package init(_ coding: ContentCoding, size: Int? = nil) throws(CompressionFault) {
        step =
            switch coding {
            case .zstd: try ZstdWriting(size: size)
            case .gzip, .deflate: try GzipWriting()
            }
    }

    deinit { buffer.deallocate() }

    /// Packs more, and ends the stream with the last piece; what has come out so far is appended.
    package func encode(
        _ bytes: UnsafeRawBufferPointer, isLast: Bool, into out: inout [UInt8]
    ) throws(CompressionFault) {
        var rest = bytes
        while true {
            let progress = try step.step(rest, buffer, isLast: isLast)
            out.append(contentsOf: buffer[..<progress.made])
            rest = UnsafeRawBufferPointer(rebasing: rest[progress.taken...])
            if isLast ? progress.isAtEnd : rest.isEmpty { return }
        }
    }

    /// A whole body at once.
    package static func encode(_ bytes: [UInt8], _ coding: ContentCoding) throws(CompressionFault) -> [UInt8] {
        let encoder = try Encoder(coding, size: bytes.count)
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count / 4 + 64)
        var fault: CompressionFault?
        bytes.withUnsafeBytes { bytes in
            do throws(CompressionFault) { try encoder.encode(bytes, isLast: true, into: &out) } catch { fault = error }
        }
        if let fault { throw fault }
        return out
    }
}
