import MartletHTTPMessages
import MartletJSON

/// Rows for a spreadsheet (RFC 4180).
///
/// A text that a spreadsheet would take for a formula gets an apostrophe before it: names of metrics come from whoever
/// may log, and open on someone else's desk.
struct CSVSheet {
    private(set) var bytes: [UInt8] = []
    private var isRowStart = true

    init() {}

    init(_ columns: [String]) {
        for column in columns { text(column) }
        endRow()
    }

    mutating func text(_ text: String) {
        separate()
        var cell = text
        if let first = text.utf8.first, "=+-@\t\r".utf8.contains(first), Double(text) == nil { cell = "'" + text }
        guard cell.utf8.contains(where: { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }) else {
            bytes += cell.utf8
            return
        }
        bytes.append(0x22)
        for byte in cell.utf8 {
            if byte == 0x22 { bytes.append(0x22) }
            bytes.append(byte)
        }
        bytes.append(0x22)
    }

    mutating func number(_ value: Double?) {
        separate()
        guard let value else { return }
        if value.isNaN {
            bytes += "NaN".utf8
        } else if value.isInfinite {
            bytes += (value < 0 ? "-Infinity" : "Infinity").utf8
        } else {
            var writer = JSONWriter()
            writer.double(value)
            bytes += writer.bytes
        }
    }

    mutating func integer(_ value: Int64?) {
        separate()
        if let value { bytes += String(value).utf8 }
    }

    mutating func endRow() {
        bytes += [0x0D, 0x0A]
        isRowStart = true
    }

    mutating func take() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }

    private mutating func separate() {
        if !isRowStart { bytes.append(0x2C) }
        isRowStart = false
    }

    static let type = "text/csv; charset=utf-8"

    var response: Response { Response(.ok, CSVSheet.type, bytes) }
}
