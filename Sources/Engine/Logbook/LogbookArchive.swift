import CZstd
import Glibc
import MartletDomain

/// A second copy of what a writer wrote, small, kept for a while.
package enum LogbookArchive {
    static let suffix = ".jsonl.zst"

    /// Compresses an open file into a new one that is complete and on disk when this returns. Gives the new one's bytes.
    static func compress(_ file: Int32, to path: String) throws(Refusal) -> Int64 {
        func failed() -> Refusal { FileTrouble(verb: .write, path: path).refusal() }
        func uncompressed() -> Refusal {
            Refusal(
                .io, "The logbook cannot be compressed into “\(path)”.", remedy: "Free some memory; it is tried again.")
        }
        let temporary = path + ".tmp"
        let out = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard out >= 0 else { throw failed() }
        defer { close(out) }
        guard let context = ZSTD_createCCtx() else { throw uncompressed() }
        defer { ZSTD_freeCCtx(context) }
        var input = [UInt8](repeating: 0, count: 1 << 17)
        var output = [UInt8](repeating: 0, count: 1 << 17)
        var offset: off_t = 0
        var size: Int64 = 0
        while true {
            let count = pread(file, &input, input.count, offset)
            guard count >= 0 else { throw FileTrouble(verb: .read, path: "the logbook of \(path)").refusal() }
            offset += off_t(count)
            let isLast = count == 0
            var taken = 0
            while true {
                let (code, made, read) = input.withUnsafeBytes { source in
                    output.withUnsafeMutableBytes { target in
                        var source = ZSTD_inBuffer(src: source.baseAddress, size: count, pos: taken)
                        var target = ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
                        let code = ZSTD_compressStream2(
                            context, &target, &source, isLast ? ZSTD_e_end : ZSTD_e_continue)
                        return (code, target.pos, source.pos)
                    }
                }
                guard ZSTD_isError(code) == 0 else { throw uncompressed() }
                taken = read
                var written = 0
                while written < made {
                    let count = output.withUnsafeBytes { write(out, $0.baseAddress! + written, made - written) }
                    guard count > 0 else { throw failed() }
                    written += count
                }
                size += Int64(made)
                if isLast ? code == 0 : taken == count { break }
            }
            if isLast { break }
        }
        guard fsync(out) == 0, rename(temporary, path) == 0 else { throw failed() }
        // Its name too, before the file that it stands for goes.
        let folder = open(
            String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failed() }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw failed() }
        return size
    }
}
