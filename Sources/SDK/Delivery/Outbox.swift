import MartletDomain
import MartletJSON
import MartletSeries

/// Lines that a store has not acknowledged yet, in the order of their numbers. No clock, no lock, no I/O.
///
/// A line's number is its place: the first one waiting has `first`. So a line keeps its number however often it is
/// sent, and the store counts it once; when lines are given up, those behind them move up, and no number is missing.
struct Outbox {
    struct Line {
        /// From `"t"` on, without the closing brace and the checksum.
        var body: [UInt8]
        /// Of the call that made it.
        var ordinal: Int
        var run: String
    }

    private(set) var writer: String
    private(set) var first: Int64 = 1
    private var lines: [Line] = []
    private var head = 0
    private(set) var bytes = 0

    init(writer: String) { self.writer = writer }

    var count: Int { lines.count - head }
    var firstOrdinal: Int? { head < lines.count ? lines[head].ordinal : nil }

    mutating func add(_ line: Line) {
        lines.append(line)
        bytes += line.body.count
    }

    /// Complete lines from the first one on, as many as fit, and at least one.
    func batch(bytesMax: Int) -> (text: [UInt8], count: Int, run: String?) {
        var text: [UInt8] = []
        var count = 0
        for line in lines[head...] {
            if count > 0, text.count + line.body.count > bytesMax { break }
            append(line, number: first + Int64(count), to: &text)
            count += 1
        }
        return (text, count, count > 0 ? lines[head + count - 1].run : nil)
    }

    /// Complete lines behind this number, and the number of the last one.
    func rest(after number: Int64) -> (text: [UInt8], last: Int64) {
        var text: [UInt8] = []
        let start = Int(max(0, number - first + 1))
        for (index, line) in lines[head...].enumerated().dropFirst(start) {
            append(line, number: first + Int64(index), to: &text)
        }
        return (text, max(number, first + Int64(count) - 1))
    }

    private func append(_ line: Line, number: Int64, to text: inout [UInt8]) {
        let start = text.count
        text += "{\"w\":\"\(writer)\",\"seq\":\(number),".utf8
        text += line.body
        let sum = text.withUnsafeBytes { crc32c(UnsafeRawBufferPointer(rebasing: $0[start...])) }
        let digits = String(sum, radix: 16)
        text += ",\"c\":\"\(String(repeating: "0", count: 8 - digits.count))\(digits)\"}\n".utf8
    }

    /// The store has all up to this number.
    mutating func acknowledge(through number: Int64) {
        let gone = Int(min(Int64(count), max(0, number - first + 1)))
        remove(gone)
        first += Int64(gone)
    }

    /// The store will never take the first lines; their numbers go to those behind them.
    mutating func giveUp(_ count: Int) { remove(min(count, self.count)) }

    /// The store does not know this writer any more. Its runs are begun again by a new one.
    mutating func startOver(writer: String, with opening: [Line]) {
        self.writer = writer
        first = 1
        lines = opening + lines[head...]
        head = 0
        bytes = lines.reduce(0) { $0 + $1.body.count }
    }

    private mutating func remove(_ gone: Int) {
        for line in lines[head..<head + gone] { bytes -= line.body.count }
        head += gone
        // Not each time, or every batch would move all that wait behind it.
        if head > 1024, head * 2 > lines.count || head == lines.count {
            lines.removeFirst(head)
            head = 0
        } else if head == lines.count {
            lines.removeAll(keepingCapacity: true)
            head = 0
        }
    }
}

/// What a call left in memory, to be written as a line by the thread that delivers.
struct Entry: Sendable {
    enum What: Sendable {
        case metrics([String: Double], step: Int?)
        case op(String, JSONObject)
    }

    var run: String
    var time: Int64
    var ordinal: Int
    var what: What

    var line: Outbox.Line {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("t", time)
        writer.member("run", run)
        switch what {
        case .metrics(let values, let step):
            writer.member("op", "metrics")
            if let step { writer.member("step", step) }
            writer.object("m") { writer in
                // A dictionary has no order, and the store shows names in the order in which they came.
                for (name, value) in values.sorted(by: { $0.key < $1.key }) { writer.member(dynamic: name, value) }
            }
        case .op(let op, let fields):
            writer.member("op", op)
            for member in fields.members { writer.member(dynamic: member.key, member.value) }
        }
        writer.endObject()
        return Outbox.Line(body: Array(writer.bytes.dropFirst().dropLast()), ordinal: ordinal, run: run)
    }

    /// A store takes lines of 16 MiB, and escaping may double one.
    static let sizeMax = 7 << 20
}

extension Entry.What {
    /// About what it takes in memory.
    var size: Int {
        switch self {
        case .metrics(let values, _): values.keys.reduce(96) { $0 + $1.utf8.count + 32 }
        case .op(_, let fields): Entry.What.size(of: .object(fields)) + 96
        }
    }

    private static func size(of value: JSONValue) -> Int {
        switch value {
        case .string(let text): 16 + text.utf8.count
        case .array(let values): values.reduce(16) { $0 + size(of: $1) }
        case .object(let object): object.members.reduce(16) { $0 + $1.key.utf8.count + size(of: $1.value) }
        default: 16
        }
    }
}

extension Entry.What {
    /// The record of values that were dropped.
    static func gap(_ fields: [(String, Int)]) -> Entry.What {
        var object: JSONObject = ["metric": "*"]
        for (name, value) in fields { object[name] = .int(Int64(value)) }
        return .op("gap", object)
    }
}
