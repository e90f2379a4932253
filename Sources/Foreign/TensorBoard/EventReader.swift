package import MartletDomain
package import MartletJSON
import MartletProtobuf

/// What one event says.
package struct ForeignEvent: Sendable {
    /// Seconds since 1970.
    package var time: Double = 0
    package var step: Int64 = 0
    package var items: [Item] = []

    package enum Item: Sendable {
        case points([(tag: String, value: Double)])
        case rich(tag: String, kind: String, about: JSONObject, file: File?)
        case params(JSONObject)
        /// A session of TensorBoard's hyperparameters says how it ended.
        case ended(failed: Bool)
    }

    package struct File: Sendable {
        package var bytes: [UInt8]
        package var ending: String
        package var type: String
    }
}

/// Reads the events of one file, of which only the first with a tag says what the tag is.
package struct EventReader: Sendable {
    private var plugins: [String: String] = [:]

    package init() {}

    static let damaged = Refusal(.malformed, "An event is cut off or damaged.", remedy: "")

    package mutating func read(_ record: [UInt8]) throws(Refusal) -> ForeignEvent {
        var event = ForeignEvent()
        var values: [SummaryValue] = []
        var message = ProtobufReader(record, damaged: EventReader.damaged)
        try message.forEachField { message, field, wire throws(Refusal) in
            switch (field, wire) {
            case (1, .fixed64): event.time = Double(bitPattern: try message.fixed64())
            case (2, .varint): event.step = Int64(bitPattern: try message.varint())
            case (5, .bytes):
                var summary = try message.message()
                try summary.forEachField { summary, field, wire throws(Refusal) in
                    guard field == 1, wire == .bytes else { return false }
                    values.append(try SummaryValue(try summary.message()))
                    return true
                }
            default: return false
            }
            return true
        }
        var points: [(tag: String, value: Double)] = []
        for value in values {
            if let plugin = value.plugin { plugins[value.tag] = plugin }
            switch try value.meaning(plugins[value.tag] ?? "") {
            case .point(let number): points.append((value.tag, number))
            case .items(let items): event.items += items
            }
        }
        if !points.isEmpty { event.items.insert(.points(points), at: 0) }
        return event
    }
}

/// One value of a summary.
private struct SummaryValue {
    var tag = ""
    var plugin: String?
    private var content: [UInt8] = []
    private var body = Body.none

    private enum Body {
        case none
        case scalar(Double)
        case image(ProtobufReader)
        case histogram(ProtobufReader)
        case audio(ProtobufReader)
        case tensor(EventTensor)
    }

    enum Meaning {
        case point(Double)
        case items([ForeignEvent.Item])
    }

    init(_ message: ProtobufReader) throws(Refusal) {
        var message = message
        var (tag, plugin, content, body) = ("", String?.none, [UInt8](), Body.none)
        try message.forEachField { message, field, wire throws(Refusal) in
            switch (field, wire) {
            case (1, .bytes): tag = String(decoding: try message.data(), as: UTF8.self)
            case (2, .fixed32): body = .scalar(EventTensor.plain(Float(bitPattern: try message.fixed32())))
            case (4, .bytes): body = .image(try message.message())
            case (5, .bytes): body = .histogram(try message.message())
            case (6, .bytes): body = .audio(try message.message())
            case (8, .bytes): body = .tensor(try EventTensor(try message.message()))
            case (9, .bytes):
                var metadata = try message.message()
                try metadata.forEachField { metadata, field, wire throws(Refusal) in
                    guard field == 1, wire == .bytes else { return false }
                    var data = try metadata.message()
                    try data.forEachField { data, field, wire throws(Refusal) in
                        switch (field, wire) {
                        case (1, .bytes): plugin = String(decoding: try data.data(), as: UTF8.self)
                        case (2, .bytes): content = Array(try data.data())
                        default: return false
                        }
                        return true
                    }
                    return true
                }
            default: return false
            }
            return true
        }
        (self.tag, self.plugin, self.content, self.body) = (tag, plugin, content, body)
    }

    func meaning(_ plugin: String) throws(Refusal) -> Meaning {
        if plugin == "hparams" { return .items(try Hyperparameters.items(content)) }
        switch body {
        case .none: return .items([])
        case .scalar(let number): return .point(number)
        case .image(let message): return .items(try image(message))
        case .histogram(let message): return .items(try EventHistogram.items(tag, message))
        case .audio(let message): return .items(try audio(message))
        case .tensor(let tensor): return try meaning(of: tensor, plugin)
        }
    }

    private func meaning(of tensor: EventTensor, _ plugin: String) throws(Refusal) -> Meaning {
        switch plugin {
        case "images":
            // Width and height as text, then the pictures.
            let pictures = tensor.strings.dropFirst(2)
            return .items(
                pictures.enumerated().compactMap { index, bytes in
                    picture(
                        index == 0 ? tag : "\(tag)/\(index)", bytes,
                        tensor.strings.prefix(2).map { EventTensor.text($0) })
                })
        case "audio":
            let width = tensor.sizes.count == 2 ? max(1, Int(clamping: tensor.sizes[1])) : 1
            let sounds = stride(from: 0, to: tensor.strings.count, by: width).map { tensor.strings[$0] }
            return .items(
                sounds.enumerated().map { index, bytes in sound(index == 0 ? tag : "\(tag)/\(index)", bytes, rate: nil)
                })
        case "histograms":
            return .items(EventHistogram.items(tag, rows: tensor))
        default: break
        }
        if plugin == "text" || !tensor.strings.isEmpty {
            let suffix = "/text_summary"
            let name = tag.hasSuffix(suffix) ? String(tag.dropLast(suffix.count)) : tag
            let text = tensor.strings.map { EventTensor.text($0) }.joined(separator: "\n")
            return .items([.rich(tag: name, kind: "text", about: ["text": .string(text)], file: nil)])
        }
        if tensor.numbers.count == 1 { return .point(tensor.numbers[0]) }
        return .items([])
    }

    private func image(_ message: ProtobufReader) throws(Refusal) -> [ForeignEvent.Item] {
        var message = message
        var (width, height, bytes) = (UInt64(0), UInt64(0), [UInt8]())
        try message.forEachField { message, field, wire throws(Refusal) in
            switch (field, wire) {
            case (1, .varint): height = try message.varint()
            case (2, .varint): width = try message.varint()
            case (4, .bytes): bytes = Array(try message.data())
            default: return false
            }
            return true
        }
        return picture(tag, bytes, ["\(width)", "\(height)"]).map { [$0] } ?? []
    }

    private func picture(_ tag: String, _ bytes: [UInt8], _ size: [String]) -> ForeignEvent.Item? {
        guard !bytes.isEmpty else { return nil }
        let (ending, type) =
            bytes.starts(with: [0xFF, 0xD8])
            ? (".jpg", "image/jpeg")
            : bytes.starts(with: [0x47, 0x49, 0x46]) ? (".gif", "image/gif") : (".png", "image/png")
        var about = JSONObject()
        for (name, text) in zip(["width", "height"], size) {
            if let number = Int64(text), number > 0 { about[name] = .int(number) }
        }
        return .rich(
            tag: tag, kind: "image", about: about, file: ForeignEvent.File(bytes: bytes, ending: ending, type: type))
    }

    private func audio(_ message: ProtobufReader) throws(Refusal) -> [ForeignEvent.Item] {
        var message = message
        var (rate, bytes) = (Float(0), [UInt8]())
        try message.forEachField { message, field, wire throws(Refusal) in
            switch (field, wire) {
            case (1, .fixed32): rate = Float(bitPattern: try message.fixed32())
            case (4, .bytes): bytes = Array(try message.data())
            default: return false
            }
            return true
        }
        return bytes.isEmpty ? [] : [sound(tag, bytes, rate: rate > 0 ? Double(rate) : nil)]
    }

    private func sound(_ tag: String, _ bytes: [UInt8], rate: Double?) -> ForeignEvent.Item {
        var about = JSONObject()
        if let rate { about["sample_rate"] = .double(rate) }
        return .rich(
            tag: tag, kind: "audio", about: about,
            file: ForeignEvent.File(bytes: bytes, ending: ".wav", type: "audio/wav"))
    }
}
