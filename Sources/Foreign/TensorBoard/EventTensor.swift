import MartletDomain
import MartletJSON
import MartletProtobuf

/// As much of a TensorProto as scalars, texts, histograms and media need.
struct EventTensor {
    private(set) var sizes: [Int64] = []
    private(set) var numbers: [Double] = []
    private(set) var strings: [[UInt8]] = []

    init(_ message: ProtobufReader) throws(Refusal) {
        var message = message
        var (kind, sizes, strings, typed) = (UInt64(0), [Int64](), [[UInt8]](), [Double]())
        var content: [UInt8]?
        try message.forEachField { message, field, wire throws(Refusal) in
            switch (field, wire) {
            case (1, .varint): kind = try message.varint()
            case (2, .bytes):
                var shape = try message.message()
                try shape.forEachField { shape, field, wire throws(Refusal) in
                    guard field == 2, wire == .bytes else { return false }
                    var size: Int64 = 0
                    var dimension = try shape.message()
                    try dimension.forEachField { dimension, field, wire throws(Refusal) in
                        guard field == 1, wire == .varint else { return false }
                        size = Int64(bitPattern: try dimension.varint())
                        return true
                    }
                    sizes.append(size)
                    return true
                }
            case (4, .bytes): content = Array(try message.data())
            case (8, .bytes): strings.append(Array(try message.data()))
            case (5, .fixed32): typed.append(EventTensor.plain(Float(bitPattern: try message.fixed32())))
            case (6, .fixed64): typed.append(Double(bitPattern: try message.fixed64()))
            case (7, .varint), (10, .varint): typed.append(Double(Int64(bitPattern: try message.varint())))
            case (5, .bytes), (6, .bytes), (7, .bytes), (10, .bytes):
                var packed = try message.message()
                while !packed.isAtEnd {
                    switch field {
                    case 5: typed.append(EventTensor.plain(Float(bitPattern: try packed.fixed32())))
                    case 6: typed.append(Double(bitPattern: try packed.fixed64()))
                    default: typed.append(Double(Int64(bitPattern: try packed.varint())))
                    }
                }
            default: return false
            }
            return true
        }
        (self.sizes, self.strings) = (sizes, strings)
        numbers = content.map { EventTensor.numbers(of: $0, kind) } ?? typed
    }

    /// A float of four bytes by the shortest digits that mean it: 0.9, and not 0.8999999761581421.
    static func plain(_ number: Float) -> Double {
        number.isFinite ? Double(number.description) ?? Double(number) : Double(number)
    }

    static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Raw numbers, lowest byte first, by TensorFlow's number of their type.
    private static func numbers(of bytes: [UInt8], _ kind: UInt64) -> [Double] {
        func each<T>(_ type: T.Type, _ number: (T) -> Double) -> [Double] {
            let size = MemoryLayout<T>.size
            return bytes.withUnsafeBytes { raw in
                stride(from: 0, through: raw.count - size, by: size).map {
                    number(raw.loadUnaligned(fromByteOffset: $0, as: T.self))
                }
            }
        }
        return switch kind {
        case 1: each(UInt32.self) { plain(Float(bitPattern: $0)) }
        case 2: each(UInt64.self) { Double(bitPattern: $0) }
        case 3: each(Int32.self, Double.init)
        case 4, 10: each(UInt8.self, Double.init)
        case 5: each(Int16.self, Double.init)
        case 6: each(Int8.self, Double.init)
        case 9: each(Int64.self, Double.init)
        case 14: each(UInt16.self) { Double(Float(bitPattern: UInt32($0) << 16)) }
        case 17: each(UInt16.self, Double.init)
        case 19: each(UInt16.self) { Double(Float(Float16(bitPattern: $0))) }
        case 22: each(UInt32.self, Double.init)
        case 23: each(UInt64.self, Double.init)
        default: []
        }
    }
}

/// Histograms, in the older shape of limits and counts and in the newer one of rows.
enum EventHistogram {
    /// What a histogram of ours holds.
    private static let binsMax = 512

    static func items(_ tag: String, _ message: ProtobufReader) throws(Refusal) -> [ForeignEvent.Item] {
        var message = message
        var (low, limits, counts) = (0.0, [Double](), [Double]())
        try message.forEachField { message, field, wire throws(Refusal) in
            switch (field, wire) {
            case (1, .fixed64): low = Double(bitPattern: try message.fixed64())
            case (6, .fixed64): limits.append(Double(bitPattern: try message.fixed64()))
            case (7, .fixed64): counts.append(Double(bitPattern: try message.fixed64()))
            case (6, .bytes), (7, .bytes):
                var packed = try message.message()
                while !packed.isAtEnd {
                    let number = Double(bitPattern: try packed.fixed64())
                    if field == 6 { limits.append(number) } else { counts.append(number) }
                }
            default: return false
            }
            return true
        }
        guard limits.count == counts.count, let first = counts.firstIndex(where: { $0 != 0 }),
            let last = counts.lastIndex(where: { $0 != 0 })
        else { return [] }
        // The limits are right edges; most buckets at both ends are empty.
        let left = first > 0 ? limits[first - 1] : low
        return [item(tag, [left] + limits[first...last], Array(counts[first...last]))]
    }

    /// Rows of left edge, right edge and count.
    static func items(_ tag: String, rows tensor: EventTensor) -> [ForeignEvent.Item] {
        let numbers = tensor.numbers
        guard tensor.sizes.count == 2, tensor.sizes[1] == 3, numbers.count >= 3, numbers.count % 3 == 0 else {
            return []
        }
        let starts = stride(from: 0, to: numbers.count, by: 3)
        return [item(tag, starts.map { numbers[$0] } + [numbers[numbers.count - 2]], starts.map { numbers[$0 + 2] })]
    }

    private static func item(_ tag: String, _ edges: [Double], _ counts: [Double]) -> ForeignEvent.Item {
        var (edges, counts) = (edges, counts)
        while counts.count > binsMax {
            let pairs = stride(from: 0, to: counts.count, by: 2)
            let last = edges[edges.count - 1]
            edges = pairs.map { edges[$0] } + [last]
            counts = pairs.map { $0 + 1 < counts.count ? counts[$0] + counts[$0 + 1] : counts[$0] }
        }
        var about = JSONObject()
        about["edges"] = .array(edges.map { .double($0) })
        about["counts"] = .array(counts.map { $0.rounded() == $0 && abs($0) < 1e15 ? .int(Int64($0)) : .double($0) })
        return .rich(tag: tag, kind: "histogram", about: about, file: nil)
    }
}

/// What TensorBoard's page of hyperparameters is told.
enum Hyperparameters {
    static func items(_ content: [UInt8]) throws(Refusal) -> [ForeignEvent.Item] {
        var items: [ForeignEvent.Item] = []
        var message = ProtobufReader(content, damaged: EventReader.damaged)
        try message.forEachField { message, field, wire throws(Refusal) in
            guard wire == .bytes, field == 3 || field == 4 else { return false }
            var session = try message.message()
            var params = JSONObject()
            var status: UInt64 = 0
            try session.forEachField { session, inner, wire throws(Refusal) in
                switch (field, inner, wire) {
                case (3, 1, .bytes):
                    let (name, value) = try pair(try session.message())
                    params[name] = value
                case (4, 1, .varint): status = try session.varint()
                default: return false
                }
                return true
            }
            if field == 4 { items.append(.ended(failed: status == 2)) }
            if !params.members.isEmpty { items.append(.params(params)) }
            return true
        }
        return items
    }

    private static func pair(_ message: ProtobufReader) throws(Refusal) -> (String, JSONValue) {
        var message = message
        var (name, value) = ("", JSONValue.null)
        try message.forEachField { message, field, wire throws(Refusal) in
            switch (field, wire) {
            case (1, .bytes): name = String(decoding: try message.data(), as: UTF8.self)
            case (2, .bytes):
                var inner = try message.message()
                try inner.forEachField { inner, field, wire throws(Refusal) in
                    switch (field, wire) {
                    case (2, .fixed64):
                        let number = Double(bitPattern: try inner.fixed64())
                        value = number.rounded() == number && abs(number) < 1e15 ? .int(Int64(number)) : .double(number)
                    case (3, .bytes): value = .string(String(decoding: try inner.data(), as: UTF8.self))
                    case (4, .varint): value = .bool(try inner.varint() != 0)
                    default: return false
                    }
                    return true
                }
            default: return false
            }
            return true
        }
        return (name, value)
    }
}
