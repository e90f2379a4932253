import CZstd

final class ZstdReading: CodingStep {
    /// 8 MiB, what a reader of HTTP's zstd must be able to hold (RFC 9659); a larger window would be memory that a client
    /// decides on.
    private static let windowLogMax: Int32 = 23
    private let context: OpaquePointer

    init() throws(CompressionFault) {
        guard let context = ZSTD_createDCtx() else { throw .noMemory }
        self.context = context
        ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, ZstdReading.windowLogMax)
    }

    deinit { ZSTD_freeDCtx(context) }

    func step(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer, isLast: Bool
    ) throws(CompressionFault) -> CodingProgress {
        var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        let code = ZSTD_decompressStream(context, &target, &source)
        guard ZSTD_isError(code) == 0 else { throw .damaged }
        return CodingProgress(taken: source.pos, made: target.pos, isAtEnd: code == 0)
    }
}

final class ZstdWriting: CodingStep {
    private let context: OpaquePointer

    init(size: Int?) throws(CompressionFault) {
        guard let context = ZSTD_createCCtx() else { throw .noMemory }
        self.context = context
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, 1)
        if let size { ZSTD_CCtx_setPledgedSrcSize(context, UInt64(size)) }
    }

    deinit { ZSTD_freeCCtx(context) }

    func step(
        _ input: UnsafeRawBufferPointer, _ output: UnsafeMutableRawBufferPointer, isLast: Bool
    ) throws(CompressionFault) -> CodingProgress {
        var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        let left = ZSTD_compressStream2(context, &target, &source, isLast ? ZSTD_e_end : ZSTD_e_continue)
        guard ZSTD_isError(left) == 0 else { throw .damaged }
        return CodingProgress(taken: source.pos, made: target.pos, isAtEnd: isLast && left == 0)
    }
}
