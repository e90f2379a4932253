import CZlib
package import MartletDomain
package import MartletJSON
import MartletSeries

/// One line of a logbook: who wrote it, its number, and what it says.
package struct LogbookLine: Sendable {
    package var writer: String
    package var sequence: Int64
    package var time: Timestamp
    package var run: RunID?
    /// The run as it was written, for a problem's words.
    package var runText: String
    package var op: String
    package var role: WriterRoleName
    package var body: JSONObject
    package var text: String

    package struct WriterRoleName: Hashable, Sendable {
        package var role: String
        package var rank: Int
    }

    /// Why a line cannot be used at all; a reader goes on with the next one.
    package struct Damage: Error, Sendable {
        package var message: String
    }

    package static let bytesMax = 16 * 1024 * 1024

    package init(_ bytes: ArraySlice<UInt8>) throws(Damage) {
        guard bytes.count <= LogbookLine.bytesMax else {
            throw Damage(message: "The line has \(bytes.count) bytes; the limit is \(LogbookLine.bytesMax).")
        }
        let line = Array(bytes)
        let value: JSONValue
        do { value = try JSONValue(parsing: line, allowsNonFinite: true) } catch {
            throw Damage(message: "The line is not JSON: \(error.message)")
        }
        guard let object = value.object else { throw Damage(message: "The line is not an object.") }
        if let sum = object["c"] {
            // An interpreter has no CRC-32C, but zlib's CRC-32 in C: `z` and its eight digits.
            let isPlain = sum.string?.hasPrefix("z") == true
            guard let claimed = sum.string.flatMap({ UInt32($0.dropFirst(isPlain ? 1 : 0), radix: 16) }) else {
                throw Damage(message: "The line's checksum is not eight hex digits.")
            }
            guard let end = LogbookLine.checkedBytes(of: line) else {
                throw Damage(message: "The line's checksum is not its last member.")
            }
            let actual = line.withUnsafeBytes { bytes in
                let covered = UnsafeRawBufferPointer(rebasing: bytes[..<end])
                return isPlain ? LogbookLine.plainSum(covered) : crc32c(covered)
            }
            guard actual == claimed else { throw Damage(message: "The line's checksum does not fit: it was damaged.") }
        }
        guard let writer = object["w"]?.string, !writer.isEmpty, writer.utf8.count <= 128 else {
            throw Damage(message: "The line names no writer (“w”).")
        }
        guard let sequence = object["seq"]?.int64, sequence > 0 else {
            throw Damage(message: "The line has no number (“seq”, from 1).")
        }
        guard let op = object["op"]?.string else { throw Damage(message: "The line says no “op”.") }
        self.writer = writer
        self.sequence = sequence
        self.op = op
        time = Timestamp(millis: object["t"]?.int64 ?? object["t"]?.double.map { Int64($0) } ?? 0)
        runText = object["run"]?.string ?? ""
        run = RunID(runText)
        role = WriterRoleName(role: object["role"]?.string ?? "", rank: Int(object["rank"]?.int64 ?? 0))
        body = object
        text = String(decoding: line, as: UTF8.self)
    }

    private static func plainSum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        UInt32(truncatingIfNeeded: crc32_z(0, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count))
    }

    /// Where what the checksum covers ends: before the comma of the last member, `"c"`.
    private static func checkedBytes(of line: [UInt8]) -> Int? {
        let mark = Array(",\"c\":".utf8)
        guard line.count > mark.count + 3 else { return nil }
        var at = line.count - mark.count
        while at > 0, line.count - at < 64 {
            if line[at..<at + mark.count].elementsEqual(mark) { return at }
            at -= 1
        }
        return nil
    }
}
