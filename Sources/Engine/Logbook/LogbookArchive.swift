import Glibc
import MartletCompression
package import MartletDomain

/// A second copy of what a writer wrote, small, kept for a while. It is gzip, which a program without us can read: a
/// training program finds out here how far a run came. Copies of earlier versions are zstd.
package enum LogbookArchive {
    /// Compresses an open file into a new one that is complete and on disk when this returns.
    static func compress(_ file: Int32, to path: String) throws(Refusal) {
        func failed(_ what: String) -> Refusal {
            Refusal(
                errno == ENOSPC ? .full : .io, "The logbook's copy \(path) cannot be \(what).",
                remedy: "Check the disk and its free space.", cause: "errno \(errno)")
        }
        let temporary = path + ".tmp"
        let out = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard out >= 0 else { throw failed("made") }
        defer { close(out) }
        guard let encoder = try? Encoder(.gzip) else { throw failed("compressed") }
        var input = [UInt8](repeating: 0, count: 1 << 17)
        var packed: [UInt8] = []
        var offset: off_t = 0
        var count = 0
        repeat {
            count = pread(file, &input, input.count, offset)
            guard count >= 0 else { throw failed("read") }
            offset += off_t(count)
            packed.removeAll(keepingCapacity: true)
            let isPacked = input.withUnsafeBytes { bytes in
                (try? encoder.encode(
                    UnsafeRawBufferPointer(rebasing: bytes[..<count]), isLast: count == 0, into: &packed)) != nil
            }
            guard isPacked else { throw failed("compressed") }
            guard write(packed, to: out) else { throw failed("written") }
        } while count > 0
        guard fsync(out) == 0, rename(temporary, path) == 0 else { throw failed("put away") }
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

    /// The lines of a logbook that was put away, for sending them on.
    package static func read(_ path: String) throws(Refusal) -> [UInt8] {
        func failed() -> Refusal {
            Refusal(
                .damaged, "The logbook's copy \(path) cannot be read.", remedy: "Check the disk; run `martlet fsck`.",
                cause: "errno \(errno)")
        }
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failed() }
        defer { close(file) }
        guard let decoder = try? Decoder(path.hasSuffix(".zst") ? .zstd : .gzip) else { throw failed() }
        var input = [UInt8](repeating: 0, count: 1 << 17)
        var bytes: [UInt8] = []
        while true {
            let count = Glibc.read(file, &input, input.count)
            guard count >= 0 else { throw failed() }
            if count == 0 { break }
            let isRead = input.withUnsafeBytes { source in
                (try? decoder.decode(UnsafeRawBufferPointer(rebasing: source[..<count])) { piece in
                    bytes.append(contentsOf: piece)
                    return true
                }) != nil
            }
            guard isRead else { throw failed() }
        }
        guard (try? decoder.finish()) != nil else { throw failed() }
        return bytes
    }
}
