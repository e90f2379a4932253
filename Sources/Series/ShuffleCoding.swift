import CZstd
import Synchronization

/// Doubles of any kind: the first bytes of all of them, then the second bytes and so on, in zstd at level 1.
///
/// Signs and exponents are alike from value to value and compress once they lie side by side; level 3 was at most 3 %
/// smaller.
enum ShuffleCoding {
    /// Nil if zstd does not make the values smaller.
    static func encode(_ values: UnsafeBufferPointer<Double>) -> [UInt8]? {
        let size = values.count * 8
        let shuffled = [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
            if let target = buffer.baseAddress, let source = values.baseAddress {
                shuffle(source, count: values.count, into: target)
            }
            initialized = size
        }
        return Zstd.compress(shuffled, smallerThan: size)
    }

    static func decode(
        _ bytes: UnsafeRawBufferPointer, count: Int, into target: UnsafeMutablePointer<Double>
    ) throws(SeriesError) {
        let shuffled = try Zstd.decompress(bytes, to: count * 8)
        shuffled.withUnsafeBufferPointer { buffer in
            if let source = buffer.baseAddress { unshuffle(source, count: count, into: target) }
        }
    }

    private static func shuffle(
        _ source: UnsafePointer<Double>, count: Int, into target: UnsafeMutablePointer<UInt8>
    ) {
        let raw = UnsafeMutableRawPointer(target)
        var index = 0
        while index &+ 8 <= count {
            let rows = Rows { source[index &+ $0].bitPattern.littleEndian }.transposed()
            rows.forEach { plane, row in
                raw.storeBytes(of: row.littleEndian, toByteOffset: plane &* count &+ index, as: UInt64.self)
            }
            index &+= 8
        }
        while index < count {
            let bits = source[index].bitPattern
            for plane in 0..<8 {
                target[plane * count + index] = UInt8(truncatingIfNeeded: bits >> (8 * UInt64(plane)))
            }
            index &+= 1
        }
    }

    private static func unshuffle(
        _ source: UnsafePointer<UInt8>, count: Int, into target: UnsafeMutablePointer<Double>
    ) {
        let raw = UnsafeRawPointer(source)
        var index = 0
        while index &+ 8 <= count {
            let rows = Rows {
                UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: $0 &* count &+ index, as: UInt64.self))
            }.transposed()
            rows.forEach { target[index &+ $0] = Double(bitPattern: $1) }
            index &+= 8
        }
        while index < count {
            var bits: UInt64 = 0
            for plane in 0..<8 { bits |= UInt64(source[plane * count + index]) << (8 * UInt64(plane)) }
            target[index] = Double(bitPattern: bits)
            index &+= 1
        }
    }
}

/// Eight rows of eight bytes, turned over by swapping ever smaller squares (Hacker's Delight, 7-3).
private struct Rows {
    private var r: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)

    private init(_ rows: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)) { r = rows }

    @inline(__always)
    init(_ row: (Int) -> UInt64) {
        r = (row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7))
    }

    @inline(__always)
    func transposed() -> Rows {
        var r = r
        Rows.swap(&r.0, &r.4, 32, 0x0000_0000_FFFF_FFFF)
        Rows.swap(&r.1, &r.5, 32, 0x0000_0000_FFFF_FFFF)
        Rows.swap(&r.2, &r.6, 32, 0x0000_0000_FFFF_FFFF)
        Rows.swap(&r.3, &r.7, 32, 0x0000_0000_FFFF_FFFF)
        Rows.swap(&r.0, &r.2, 16, 0x0000_FFFF_0000_FFFF)
        Rows.swap(&r.1, &r.3, 16, 0x0000_FFFF_0000_FFFF)
        Rows.swap(&r.4, &r.6, 16, 0x0000_FFFF_0000_FFFF)
        Rows.swap(&r.5, &r.7, 16, 0x0000_FFFF_0000_FFFF)
        Rows.swap(&r.0, &r.1, 8, 0x00FF_00FF_00FF_00FF)
        Rows.swap(&r.2, &r.3, 8, 0x00FF_00FF_00FF_00FF)
        Rows.swap(&r.4, &r.5, 8, 0x00FF_00FF_00FF_00FF)
        Rows.swap(&r.6, &r.7, 8, 0x00FF_00FF_00FF_00FF)
        return Rows(r)
    }

    @inline(__always)
    func forEach(_ body: (Int, UInt64) -> Void) {
        body(0, r.0)
        body(1, r.1)
        body(2, r.2)
        body(3, r.3)
        body(4, r.4)
        body(5, r.5)
        body(6, r.6)
        body(7, r.7)
    }

    @inline(__always)
    private static func swap(_ a: inout UInt64, _ b: inout UInt64, _ shift: UInt64, _ mask: UInt64) {
        let difference = (a &>> shift ^ b) & mask
        b ^= difference
        a ^= difference &<< shift
    }
}

/// zstd, with its working memory kept between calls: making it anew would cost more than a journal row's values.
enum Zstd {
    /// The compressed bytes, or nil if they are not smaller than `limit`.
    static func compress(_ bytes: [UInt8], smallerThan limit: Int) -> [UInt8]? {
        guard limit > 1 else { return nil }
        let context = compressors.take() ?? Context(pointer: ZSTD_createCCtx())
        defer { compressors.give(context) }
        guard context.pointer != nil else { return nil }
        let compressed = [UInt8](unsafeUninitializedCapacity: limit - 1) { buffer, initialized in
            bytes.withUnsafeBytes { source in
                // Too small a target is an error, which is the answer "not smaller".
                let size = ZSTD_compressCCtx(
                    context.pointer, buffer.baseAddress, buffer.count, source.baseAddress, source.count, 1)
                initialized = ZSTD_isError(size) == 0 ? size : 0
            }
        }
        return compressed.isEmpty ? nil : compressed
    }

    /// Exactly `size` bytes, or an error: zstd is never given room for more than the caller expects.
    static func decompress(_ bytes: UnsafeRawBufferPointer, to size: Int) throws(SeriesError) -> [UInt8] {
        let context = decompressors.take() ?? Context(pointer: ZSTD_createDCtx())
        defer { decompressors.give(context) }
        guard context.pointer != nil else { throw .damaged("There is no memory to decompress \(size) bytes.") }
        var found = 0
        let result = [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
            found = ZSTD_decompressDCtx(context.pointer, buffer.baseAddress, size, bytes.baseAddress, bytes.count)
            initialized = ZSTD_isError(found) == 0 && found <= size ? found : 0
        }
        guard result.count == size else {
            throw .damaged("\(bytes.count) compressed bytes do not hold \(size) bytes of values.")
        }
        return result
    }

    private static let compressors = ContextPool { _ = ZSTD_freeCCtx($0) }
    private static let decompressors = ContextPool { _ = ZSTD_freeDCtx($0) }
}

/// zstd's working memory; owned by one caller at a time, so that sending it between threads is safe.
private struct Context: @unchecked Sendable {
    var pointer: OpaquePointer?
}

/// A few idle contexts; those over the limit are freed when they come back.
private final class ContextPool: Sendable {
    private let idle = Mutex<[Context]>([])
    private let free: @Sendable (OpaquePointer) -> Void
    private static let idleMax = 8

    init(free: @escaping @Sendable (OpaquePointer) -> Void) { self.free = free }

    func take() -> Context? { idle.withLock { $0.popLast() } }

    func give(_ context: Context) {
        guard let pointer = context.pointer else { return }
        let isKept = idle.withLock { contexts in
            guard contexts.count < Self.idleMax else { return false }
            contexts.append(context)
            return true
        }
        if !isKept { free(pointer) }
    }
}
