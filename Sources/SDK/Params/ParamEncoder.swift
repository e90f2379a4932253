import MartletJSON

/// Turns an `Encodable` value into a tree that keeps the order of its members and a `Float`'s own digits, which
/// Foundation's JSON encoder does not, and takes NaN for the value that it is.
final class ParamEncoder: Encoder {
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }
    /// What was encoded here; nil while nothing was.
    fileprivate var value: JSONValue?
    /// The container that was handed out, whose value is complete only when encoding is over.
    private var resolve: (() -> JSONValue)?

    fileprivate init(_ path: [any CodingKey]) { codingPath = path }

    static func encode(_ value: some Encodable) throws -> JSONValue { try encode(value, at: []) }

    fileprivate static func encode(_ value: some Encodable, at path: [any CodingKey]) throws -> JSONValue {
        switch value {
        case let float as Float: return number(Double(float.description) ?? Double(float))
        case let double as Double: return number(double)
        default: break
        }
        let encoder = ParamEncoder(path)
        try value.encode(to: encoder)
        return encoder.result
    }

    fileprivate static func number(_ value: Double) -> JSONValue { .double(value) }

    fileprivate var result: JSONValue { resolve?() ?? value ?? .object(JSONObject()) }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        let box = keyedBox()
        return KeyedEncodingContainer(KeyedParams<Key>(box: box, codingPath: codingPath))
    }

    private var keyed: KeyedBox?
    fileprivate func keyedBox() -> KeyedBox {
        if let keyed { return keyed }
        let box = KeyedBox()
        keyed = box
        resolve = { box.value }
        return box
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        let box = ListBox()
        resolve = { box.value }
        return ListedParams(box: box, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { SingleParam(encoder: self) }
}

/// A member that is complete, or one whose own container may still grow.
private enum Part {
    case value(JSONValue)
    case later(() -> JSONValue)

    var value: JSONValue {
        switch self {
        case .value(let value): value
        case .later(let resolve): resolve()
        }
    }
}

private final class KeyedBox {
    private var parts: [(key: String, part: Part)] = []
    func set(_ key: any CodingKey, _ part: Part) { parts.append((key.stringValue, part)) }
    var value: JSONValue {
        var object = JSONObject()
        for (key, part) in parts { object[key] = part.value }
        return .object(object)
    }
}

private final class ListBox {
    private(set) var parts: [Part] = []
    func add(_ part: Part) { parts.append(part) }
    var value: JSONValue { .array(parts.map(\.value)) }
}

private struct KeyedParams<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let box: KeyedBox
    let codingPath: [any CodingKey]

    mutating func encodeNil(forKey key: Key) { box.set(key, .value(.null)) }

    mutating func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        box.set(key, .value(try ParamEncoder.encode(value, at: codingPath + [key])))
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        let inner = KeyedBox()
        box.set(key, .later { inner.value })
        return KeyedEncodingContainer(KeyedParams<Nested>(box: inner, codingPath: codingPath + [key]))
    }

    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        let inner = ListBox()
        box.set(key, .later { inner.value })
        return ListedParams(box: inner, codingPath: codingPath + [key])
    }

    mutating func superEncoder() -> any Encoder { superEncoder(named: SuperKey()) }
    mutating func superEncoder(forKey key: Key) -> any Encoder { superEncoder(named: key) }

    private func superEncoder(named key: any CodingKey) -> any Encoder {
        let encoder = ParamEncoder(codingPath + [key])
        box.set(key, .later { encoder.result })
        return encoder
    }
}

private struct SuperKey: CodingKey {
    var stringValue: String { "super" }
    var intValue: Int? { nil }
    init() {}
    init?(stringValue: String) {}
    init?(intValue: Int) { nil }
}

private struct ListedParams: UnkeyedEncodingContainer {
    let box: ListBox
    let codingPath: [any CodingKey]
    var count: Int { box.parts.count }

    mutating func encodeNil() { box.add(.value(.null)) }

    mutating func encode<T: Encodable>(_ value: T) throws {
        box.add(.value(try ParamEncoder.encode(value, at: codingPath)))
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) -> KeyedEncodingContainer<Nested> {
        let inner = KeyedBox()
        box.add(.later { inner.value })
        return KeyedEncodingContainer(KeyedParams<Nested>(box: inner, codingPath: codingPath))
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        let inner = ListBox()
        box.add(.later { inner.value })
        return ListedParams(box: inner, codingPath: codingPath)
    }

    mutating func superEncoder() -> any Encoder {
        let encoder = ParamEncoder(codingPath)
        box.add(.later { encoder.result })
        return encoder
    }
}

private struct SingleParam: SingleValueEncodingContainer {
    let encoder: ParamEncoder
    var codingPath: [any CodingKey] { encoder.codingPath }

    mutating func encodeNil() { encoder.value = .null }
    mutating func encode(_ value: Bool) { encoder.value = .bool(value) }
    mutating func encode(_ value: String) { encoder.value = .string(value) }
    mutating func encode(_ value: Double) { encoder.value = .double(value) }
    mutating func encode(_ value: Float) { encoder.value = .double(Double(value.description) ?? Double(value)) }
    mutating func encode(_ value: Int) { whole(value) }
    mutating func encode(_ value: Int8) { whole(value) }
    mutating func encode(_ value: Int16) { whole(value) }
    mutating func encode(_ value: Int32) { whole(value) }
    mutating func encode(_ value: Int64) { whole(value) }
    mutating func encode(_ value: UInt) { whole(value) }
    mutating func encode(_ value: UInt8) { whole(value) }
    mutating func encode(_ value: UInt16) { whole(value) }
    mutating func encode(_ value: UInt32) { whole(value) }
    mutating func encode(_ value: UInt64) { whole(value) }

    mutating func encode<T: Encodable>(_ value: T) throws {
        encoder.value = try ParamEncoder.encode(value, at: codingPath)
    }

    /// A number beyond 64 bits keeps its digits as text.
    private func whole(_ value: some BinaryInteger) {
        encoder.value = Int64(exactly: value).map { .int($0) } ?? .string("\(value)")
    }
}
