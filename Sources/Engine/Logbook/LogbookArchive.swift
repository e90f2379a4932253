import Glibc
import MartletCompression
import MartletDomain

/// A second copy of what a writer wrote, small, kept for a while. It is gzip, which a program without us can read: a
/// training program finds out here how far a run came. Copies of earlier versions are zstd.
package enum LogbookArchive {
    static let suffix = ".jsonl.gz"
    static let olderSuffix = ".jsonl.zst"

    static func isOne(_ name: String) -> Bool {
        !name.hasPrefix(".") && (name.hasSuffix(suffix) || name.hasSuffix(olderSuffix))
    }

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
        guard let encoder = try? Encoder(.gzip) else { throw uncompressed() }
        var input = [UInt8](repeating: 0, count: 1 << 17)
        var packed: [UInt8] = []
        var offset: off_t = 0
        var size: Int64 = 0
        var count = 0
        repeat {
            count = pread(file, &input, input.count, offset)
            guard count >= 0 else { throw FileTrouble(verb: .read, path: "the logbook of \(path)").refusal() }
            offset += off_t(count)
            packed.removeAll(keepingCapacity: true)
            let isPacked = input.withUnsafeBytes { bytes in
                (try? encoder.encode(
                    UnsafeRawBufferPointer(rebasing: bytes[..<count]), isLast: count == 0, into: &packed)) != nil
            }
            guard isPacked else { throw uncompressed() }
            guard write(packed, to: out) else { throw failed() }
            size += Int64(packed.count)
        } while count > 0
        guard fsync(out) == 0, rename(temporary, path) == 0 else { throw failed() }
        // Its name too, before the file that it stands for goes.
        let folder = open(
            String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failed() }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw failed() }
        return size
    }

    private static func write(_ bytes: [UInt8], to file: Int32) -> Bool {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress! + written, bytes.count - written) }
            guard count > 0 else { return false }
            written += count
        }
        return true
    }
}
