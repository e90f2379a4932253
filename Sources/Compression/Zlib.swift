import CZlib

/// zlib's state. On the heap, because zlib keeps a pointer back to it and refuses one that has moved.
private final class ZStream {
    let pointer = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let end: (UnsafeMutablePointer<z_stream>) -> Void

    init(end: @escaping (UnsafeMutablePointer<z_stream>) -> Void) {
        pointer.initialize(to: z_stream())
        self.end = end
    }

    deinit {
        // Harmless on a stream that never began: zlib looks for a state first.
        end(pointer)
        pointer.deallocate()
    }

    func run(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer, _ call: (z_streamp) -> Int32
    ) -> (code: Int32, taken: Int, made: Int) {
        // zlib counts in 32 bits; what is over is asked for again.
        let count = min(input.count, 1 << 30)
        pointer.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        pointer.pointee.avail_in = UInt32(count)
        pointer.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        pointer.pointee.avail_out = UInt32(output.count)
        let code = call(pointer)
        return (code, count - Int(pointer.pointee.avail_in), output.count - Int(pointer.pointee.avail_out))
    }
}

final class InflateReading: CodingStep {
    enum Wrapping { case gzip, deflate }

    private let wrapping: Wrapping
    private let stream = ZStream { inflateEnd($0) }
    private var hasBegun = false
    private var isAtEnd = false

    init(_ wrapping: Wrapping) { self.wrapping = wrapping }

    func step(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer, isLast: Bool
    ) throws(CompressionFault) -> CodingProgress {
        if isAtEnd {
            guard wrapping == .gzip, inflateReset(stream.pointer) == Z_OK else { throw .damaged }
            isAtEnd = false
        }
        guard let first = input.first ?? (hasBegun ? 0 : nil) else {
            return CodingProgress(taken: 0, made: 0, isAtEnd: false)
        }
        if !hasBegun {
            guard martlet_inflate_begin(stream.pointer, windowBits(first)) == Z_OK else { throw .noMemory }
            hasBegun = true
        }
        let (code, taken, made) = stream.run(input, output) { inflate($0, Z_NO_FLUSH) }
        switch code {
        case Z_STREAM_END: isAtEnd = true
        // Nothing to do is no fault: either side was empty.
        case Z_OK, Z_BUF_ERROR: break
        case Z_MEM_ERROR: throw .noMemory
        default: throw .damaged
        }
        return CodingProgress(taken: taken, made: made, isAtEnd: isAtEnd)
    }

    /// “deflate” means zlib's wrapping (RFC 9110, 8.4.1.2), and some clients send it bare. A wrapped stream begins with
    /// method 8 in the low half of its first byte and a window of at most 32 KiB in the high half; a bare one cannot
    /// begin with 0x78, which all common writers use, nor with its smaller kin.
    private func windowBits(_ first: UInt8) -> Int32 {
        switch wrapping {
        case .gzip: 15 + 16
        case .deflate: first & 0x0F == 8 && first >> 4 <= 7 ? 15 : -15
        }
    }
}

final class GzipWriting: CodingStep {
    private let stream = ZStream { deflateEnd($0) }

    init() throws(CompressionFault) {
        guard martlet_gzip_begin(stream.pointer, 1) == Z_OK else { throw .noMemory }
    }

    func step(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer, isLast: Bool
    ) throws(CompressionFault) -> CodingProgress {
        let mode = isLast && input.count <= 1 << 30 ? Z_FINISH : Z_NO_FLUSH
        let (code, taken, made) = stream.run(input, output) { deflate($0, mode) }
        guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR else { throw .damaged }
        return CodingProgress(taken: taken, made: made, isAtEnd: code == Z_STREAM_END)
    }
}
