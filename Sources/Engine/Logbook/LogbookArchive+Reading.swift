import Glibc
import MartletCompression
package import MartletDomain

extension LogbookArchive {
    /// All that a logbook held which was put away, for sending it on.
    package static func read(_ path: String) throws(Refusal) -> [UInt8] {
        var bytes: [UInt8] = []
        try eachPiece(of: path) { (piece) throws(Refusal) in bytes += piece }
        return bytes
    }

    /// The same in pieces, which end anywhere. Throws at the end when the archive is not whole.
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
        guard let decoder = try? Decoder(path.hasSuffix(olderSuffix) ? .zstd : .gzip) else { throw failed() }
        var input = [UInt8](repeating: 0, count: 1 << 17)
        while true {
            let count = Glibc.read(file, &input, input.count)
            guard count >= 0 else { throw failed() }
            if count == 0 { break }
            var bytes: [UInt8] = []
            let isRead = input.withUnsafeBytes { source in
                (try? decoder.decode(UnsafeRawBufferPointer(rebasing: source[..<count])) { piece in
                    bytes.append(contentsOf: piece)
                    return true
                }) != nil
            }
            guard isRead else { throw failed() }
            try take(bytes[...])
        }
        guard (try? decoder.finish()) != nil else { throw failed() }
    }
}
