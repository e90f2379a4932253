/// A param as it was given: the exact text, and what kind of value it was.
///
/// The text is the identity (`0.10` stays `0.10`); the number beside it makes sorting and filtering numeric.
package struct ParamValue: Hashable, Sendable {
    package enum Kind: UInt8, Sendable { case text, number, bool, null, json }

    package var text: String
    package var kind: Kind

    package init(text: String, kind: Kind = .text) {
        self.text = text
        self.kind = kind
    }

    /// Two spellings of one param agree when their text does: `"1"` logged after `1` changes nothing.
    package func agrees(with other: ParamValue) -> Bool { text == other.text }

    /// The number that this text is, by the rules of a plain decimal literal; `nan`, hex and blanks are text.
    package var number: Double? {
        switch kind {
        case .bool, .null, .json: nil
        case .text, .number: decimalNumber(text)
        }
    }
}

/// The number that a text spells in decimal: an optional sign, digits, a point, an exponent. Nothing else.
package func decimalNumber(_ text: String) -> Double? {
    guard let first = text.utf8.first, text.utf8.count <= 64 else { return nil }
    var digits = 0
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digits += 1
        case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "e"), UInt8(ascii: "E"): break
        default: return nil
        }
    }
    guard digits > 0, first != UInt8(ascii: "e"), first != UInt8(ascii: "E") else { return nil }
    return Double(text)
}

/// Keyed values in the order in which their keys were first seen.
package struct Pairs<Value: Sendable>: Sendable {
    package private(set) var entries: [(key: String, value: Value)]
    /// Kept, and not asked of the entries: across rooms a generic answer is made at run time, and costs more than all
    /// else that is done with a run that has none.
    package private(set) var isEmpty = true
    /// Where each key stands; made when many keys are written one by one, since reading a document needs none.
    private var places: [String: Int]?

    /// Up to here a key is found faster by looking than by hashing.
    private static var scanMax: Int { 32 }

    package init() { entries = [] }

    package init(_ entries: [(key: String, value: Value)]) {
        self.entries = []
        self.entries.reserveCapacity(entries.count)
        for (key, value) in entries { self[key] = value }
    }

    /// Entries whose keys are known to differ, as those of a stored document are.
    package init(unique entries: [(key: String, value: Value)]) {
        self.entries = entries
        isEmpty = entries.isEmpty
    }

    @inlinable package var count: Int { entries.count }
    package var keys: [String] { entries.map(\.key) }

    package subscript(key: String) -> Value? {
        get { place(of: key).map { entries[$0].value } }
        set {
            if places == nil, entries.count >= Pairs.scanMax { index() }
            switch (place(of: key), newValue) {
            case (let place?, let value?): entries[place].value = value
            case (let place?, nil):
                entries.remove(at: place)
                isEmpty = entries.isEmpty
                if places != nil { index() }
            case (nil, let value?):
                places?[key] = entries.count
                entries.append((key, value))
                isEmpty = false
            case (nil, nil): break
            }
        }
    }

    private func place(of key: String) -> Int? {
        if let places { return places[key] }
        return entries.firstIndex { $0.key == key }
    }

    private mutating func index() {
        var places: [String: Int] = [:]
        places.reserveCapacity(entries.count)
        for (place, entry) in entries.enumerated() { places[entry.key] = place }
        self.places = places
    }
}

extension Pairs: Equatable where Value: Equatable {
    package static func == (a: Pairs, b: Pairs) -> Bool {
        a.entries.elementsEqual(b.entries) { $0.key == $1.key && $0.value == $1.value }
    }
}

/// A tag's value: a text, or nothing (`add_tag("production")`).
package typealias TagValue = String?

/// Whether a thing is there, or why it is not.
package enum Life: UInt8, Sendable {
    case active = 0
    /// Deleted itself.
    case deleted = 1
    /// Deleted with its parent, and restored with it.
    case deletedWithParent = 2
}
