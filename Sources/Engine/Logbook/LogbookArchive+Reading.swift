import CZstd
import Glibc
package import MartletDomain

extension LogbookArchive {
    /// All that a logbook held which was put away, for sending it on.
    package static func read(_ path: String) throws(Refusal) -> [UInt8] {
        var bytes: [UInt8] = []
        try eachPiece(of: path) { (piece) throws(Refusal) in bytes += piece }
        return bytes
    }

    /// The same in pieces of a quarter of a megabyte, which end anywhere. Throws at the end when the archive is not whole.
    static func eachPiece(
        of path: String, _ take: (ArraySlice<UInt8>) throws(Refusal) -> Void
    ) throws(Refusal) {
        func failed() -> Refusal {
            Refusal(
                .damaged, "The logbook's copy \(path) cannot be read.", remedy: "Check the disk; run `martlet fsck`.",
                cause: "errno \(errno)")
        }
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failed() }
        defer { close(file) }
        guard let context = ZSTD_createDCtx() else { throw failed() }
        defer { ZSTD_freeDCtx(context) }
        var input = [UInt8](repeating: 0, count: 1 << 17)
        var output = [UInt8](repeating: 0, count: 1 << 18)
        var code = 0
        while true {
            let count = Glibc.read(file, &input, input.count)
            guard count >= 0 else { throw failed() }
            if count == 0 { break }
            var taken = 0
            var isFull = false
            while taken < count || isFull {
                let made: Int
                (code, made, taken) = input.withUnsafeBytes { source in
                    output.withUnsafeMutableBytes { target in
                        var source = ZSTD_inBuffer(src: source.baseAddress, size: count, pos: taken)
                        var target = ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
                        let code = ZSTD_decompressStream(context, &target, &source)
                        return (code, target.pos, source.pos)
                    }
                }
                guard ZSTD_isError(code) == 0 else { throw failed() }
                try take(output[..<made])
                isFull = made == output.count
            }
        }
        // Zero says that the last frame is whole.
        guard code == 0 else { throw failed() }
    }
}
