import CYAML
import MartletDomain
import MartletJSON

/// A YAML document as a value: maps, lists and scalars, as other trackers write their small files.
enum YAML {
    private static let depthMax = 64

    static func parse(_ bytes: [UInt8], _ path: String) throws(Refusal) -> JSONValue {
        var parser = yaml_parser_t()
        guard yaml_parser_initialize(&parser) == 1 else {
            throw Refusal(.io, "There is no memory to read \(path).", remedy: "Free some memory.")
        }
        defer { yaml_parser_delete(&parser) }
        let result: Result<JSONValue, Refusal> = bytes.withUnsafeBufferPointer { text in
            yaml_parser_set_input_string(&parser, text.baseAddress, text.count)
            var reader = Reader(path: path)
            return Result { () throws(Refusal) in try reader.document(&parser) }
        }
        return try result.get()
    }

    private struct Reader {
        let path: String
        private var event = yaml_event_t()

        init(path: String) { self.path = path }

        mutating func document(_ parser: inout yaml_parser_t) throws(Refusal) -> JSONValue {
            while true {
                switch try next(&parser) {
                case YAML_STREAM_START_EVENT, YAML_DOCUMENT_START_EVENT: continue
                case YAML_STREAM_END_EVENT: return .null
                case let kind: return try value(kind, &parser, depth: 0)
                }
            }
        }

        private mutating func next(_ parser: inout yaml_parser_t) throws(Refusal) -> yaml_event_type_t {
            yaml_event_delete(&event)
            guard yaml_parser_parse(&parser, &event) == 1 else {
                let why = parser.problem.map { String(cString: $0) } ?? "it cannot be read"
                throw Refusal(
                    .malformed, "\(path) is not YAML: line \(parser.problem_mark.line + 1): \(why).",
                    remedy: "Look whether it is damaged.")
            }
            return event.type
        }

        /// The value that begins with the event at hand.
        private mutating func value(
            _ kind: yaml_event_type_t, _ parser: inout yaml_parser_t, depth: Int
        ) throws(Refusal) -> JSONValue {
            guard depth < YAML.depthMax else {
                throw Refusal(.malformed, "\(path) is nested too deeply.", remedy: "Look whether it is damaged.")
            }
            switch kind {
            case YAML_SCALAR_EVENT:
                let scalar = event.data.scalar
                let text = String(
                    decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
                return scalar.style == YAML_PLAIN_SCALAR_STYLE && scalar.tag == nil ? plain(text) : .string(text)
            case YAML_SEQUENCE_START_EVENT:
                var list: [JSONValue] = []
                while true {
                    let kind = try next(&parser)
                    if kind == YAML_SEQUENCE_END_EVENT { return .array(list) }
                    list.append(try value(kind, &parser, depth: depth + 1))
                }
            case YAML_MAPPING_START_EVENT:
                var object = JSONObject()
                while true {
                    let kind = try next(&parser)
                    if kind == YAML_MAPPING_END_EVENT { return .object(object) }
                    let key = try value(kind, &parser, depth: depth + 1)
                    let held = try value(try next(&parser), &parser, depth: depth + 1)
                    object[key.asText ?? ""] = held
                }
            default:
                throw Refusal(
                    .malformed, "\(path) uses anchors, which these files do not have.",
                    remedy: "Look whether it is damaged.")
            }
        }

        /// What a scalar without quotes stands for.
        private func plain(_ text: String) -> JSONValue {
            switch text {
            case "", "~", "null", "Null", "NULL": return .null
            case "true", "True", "TRUE": return .bool(true)
            case "false", "False", "FALSE": return .bool(false)
            case ".nan", ".NaN": return .double(.nan)
            case ".inf", ".Inf": return .double(.infinity)
            case "-.inf", "-.Inf": return .double(-.infinity)
            default: break
            }
            guard let first = text.utf8.first, first == 0x2D || first == 0x2B || (first >= 0x30 && first <= 0x39) else {
                return .string(text)
            }
            if let number = Int64(text) { return .int(number) }
            let isDecimal = text.utf8.allSatisfy { "0123456789.eE+-".utf8.contains($0) }
            if isDecimal, let number = Double(text) { return .double(number) }
            return .string(text)
        }
    }
}

extension JSONValue {
    /// A text, or a number or a flag as it was written: people and old clients leave quotes out.
    var asText: String? {
        switch self {
        case .string(let text): text
        case .int(let number): "\(number)"
        case .double(let number): "\(number)"
        case .bool(let flag): flag ? "true" : "false"
        default: nil
        }
    }
}
