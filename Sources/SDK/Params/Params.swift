import MartletJSON

/// One setting.
public enum ParamValue: Sendable, Hashable, Encodable {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(String)
    case array([ParamValue])
    case object([String: ParamValue])

    /// A number, also one that was logged as text.
    public var number: Double? {
        switch self {
        case .int(let value): Double(value)
        case .double(let value): value
        case .string(let text): Double(text)
        default: nil
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .int(let value): try container.encode(value)
        case .double(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let values): try container.encode(values)
        case .object(let values): try container.encode(values)
        }
    }
}

extension ParamValue: CustomStringConvertible {
    /// As a table shows it: `0.01`, `10`, `Ridge`, `true`; JSON for what is nested.
    public var description: String {
        switch self {
        case .string(let text): text
        case .double(let value) where value == value.rounded() && value.magnitude < 1e15: "\(Int(value))"
        default: json.text
        }
    }

    init(_ json: JSONValue) {
        switch json {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .int(Int(value))
        case .double(let value): self = .double(value)
        case .string(let value): self = .string(value)
        case .array(let values): self = .array(values.map { ParamValue($0) })
        case .object(let object):
            self = .object(
                Dictionary(object.members.map { ($0.key, ParamValue($0.value)) }) { first, _ in first })
        }
    }

    var json: JSONValue {
        switch self {
        case .null: .null
        case .bool(let value): .bool(value)
        case .int(let value): .int(Int64(value))
        case .double(let value): .double(value)
        case .string(let value): .string(value)
        case .array(let values): .array(values.map(\.json))
        case .object(let values):
            .object(JSONObject(values.sorted { $0.key < $1.key }.map { JSONObject.Member($0.key, $0.value.json) }))
        }
    }
}

extension ParamValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(nilLiteral: ()) { self = .null }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int) { self = .int(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: ParamValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, ParamValue)...) {
        self = .object(Dictionary(elements) { _, last in last })
    }
}

/// Settings of a run in the order in which they were given: a literal of mixed values, or any `Encodable` value.
public struct Params: Sendable, ExpressibleByDictionaryLiteral {
    /// What is nested has become `a.b.c`.
    let flat: JSONObject
    /// Why the value could not be encoded.
    let problem: String?

    public init(dictionaryLiteral elements: (String, ParamValue)...) { self.init(elements) }

    public init(_ values: [String: ParamValue]) {
        self.init(values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    }

    init(_ elements: [(String, ParamValue)]) {
        var flat = JSONObject()
        for (name, value) in elements { Params.flatten(value.json, name, into: &flat) }
        (self.flat, problem) = (flat, nil)
    }

    /// The members of a value by their coding keys. One that has no members, such as a bare number, is named `value`.
    @_disfavoredOverload
    public init(_ value: some Encodable) {
        do {
            let tree = try ParamEncoder.encode(value)
            var flat = JSONObject()
            if let object = tree.object {
                for member in object.members { Params.flatten(member.value, member.key, into: &flat) }
            } else {
                Params.flatten(tree, "value", into: &flat)
            }
            (self.flat, problem) = (flat, nil)
        } catch {
            (flat, problem) = (
                JSONObject(), "The params were not logged: \(type(of: value)) cannot be encoded: \(error)"
            )
        }
    }

    var isEmpty: Bool { flat.isEmpty }

    private static func flatten(_ value: JSONValue, _ name: String, into flat: inout JSONObject) {
        guard let object = value.object, !object.isEmpty else {
            flat[name] = value
            return
        }
        for member in object.members { flatten(member.value, name + "." + member.key, into: &flat) }
    }
}
