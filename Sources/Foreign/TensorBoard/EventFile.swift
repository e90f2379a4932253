import Glibc
package import MartletDomain
import MartletSeries

/// One of TensorBoard's event files, read while it grows: TFRecords, of which the last may be half written.
package struct EventFile: Sendable {
    package let path: String
    /// Behind the last whole record.
    package private(set) var offset: Int64 = 0
    /// Records whose checksum does not fit; they are passed over.
    package private(set) var skipped = 0
    /// Why nothing behind `offset` can be read: without a length there is no next record.
    package private(set) var damage: String?

    private static let recordBytesMax: UInt64 = 1 << 30
    private static let bytesAtOnce = 4 << 20

    package init(_ path: String) { self.path = path }

    /// Whether a name is an event file's.
    package static func isOne(_ name: some StringProtocol) -> Bool {
        name.contains("tfevents") && !name.hasSuffix(".profile-empty") && !name.hasSuffix(".sagemaker-uploaded")
    }

    /// Whole records that come next, some megabytes of them; none when there is nothing new.
    package mutating func next() throws(Refusal) -> [[UInt8]] {
        guard damage == nil else { return [] }
        var records: [[UInt8]] = []
        var bytes = try Files.read(path, from: offset, most: EventFile.bytesAtOnce)
        var at = 0
        while bytes.count - at >= 12 {
            let size = EventFile.word64(bytes, at)
            guard size <= EventFile.recordBytesMax, EventFile.fits(bytes[at..<at + 8], EventFile.word32(bytes, at + 8))
            else {
                damage = "\(path) is damaged at byte \(offset); what comes after it cannot be read."
                break
            }
            let whole = Int(size) + 16
            if bytes.count - at < whole {
                // A record that is larger than what was read at once is read by itself.
                guard at == 0, bytes.count < whole else { break }
                bytes = try Files.read(path, from: offset, most: whole)
                if bytes.count < whole { break }
            }
            let data = bytes[at + 12..<at + 12 + Int(size)]
            if EventFile.fits(data, EventFile.word32(bytes, at + 12 + Int(size))) {
                records.append(Array(data))
            } else {
                skipped += 1
            }
            at += whole
            offset += Int64(whole)
        }
        return records
    }

    private static func word64(_ bytes: [UInt8], _ at: Int) -> UInt64 {
        bytes[at..<at + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func word32(_ bytes: [UInt8], _ at: Int) -> UInt32 {
        bytes[at..<at + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// TensorFlow turns its checksums, so that one of data with a checksum in it is none.
    private static func fits(_ data: ArraySlice<UInt8>, _ masked: UInt32) -> Bool {
        let sum = data.withUnsafeBytes { crc32c($0) }
        return (sum >> 15 | sum << 17) &+ 0xA282_EAD8 == masked
    }
}
