/// The fields of a head in the order of arrival; names compare without regard to ASCII case.
///
/// A head has a dozen fields at most in practice, so a scan of an array beats a hash table.
package struct Headers: Sendable, Hashable, ExpressibleByDictionaryLiteral, RandomAccessCollection {
    package struct Field: Sendable, Hashable {
        package let name: String
        package let value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    private var fields: [Field]

    package init(_ fields: [Field] = []) { self.fields = fields }
    package init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { Field($0.0, $0.1) }
    }

    package var startIndex: Int { 0 }
    package var endIndex: Int { fields.count }
    package subscript(index: Int) -> Field { fields[index] }

    /// The first value under a name; setting replaces all of them, nil removes them.
    package subscript(name: String) -> String? {
        get { fields.first { asciiCaseInsensitiveEqual($0.name, name) }?.value }
        set {
            let place = fields.firstIndex { asciiCaseInsensitiveEqual($0.name, name) }
            fields.removeAll { asciiCaseInsensitiveEqual($0.name, name) }
            if let newValue { fields.insert(Field(name, newValue), at: Swift.min(place ?? fields.count, fields.count)) }
        }
    }

    /// Every value under a name, in the order of arrival.
    package func all(_ name: String) -> [String] {
        fields.filter { asciiCaseInsensitiveEqual($0.name, name) }.map(\.value)
    }

    package func contains(_ name: String) -> Bool {
        fields.contains { asciiCaseInsensitiveEqual($0.name, name) }
    }

    package mutating func add(_ name: String, _ value: String) { fields.append(Field(name, value)) }

    /// True when a comma list under `name` (`Connection: keep-alive, Upgrade`) has this token.
    package func hasToken(_ token: String, in name: String) -> Bool {
        all(name).contains { value in
            value.utf8.split(separator: UInt8(ascii: ",")).contains {
                asciiCaseInsensitiveEqual(String(Substring($0)).trimmingHTTPSpace(), token)
            }
        }
    }
}

/// Compares header names, tokens and schemes, which are ASCII by definition.
package func asciiCaseInsensitiveEqual(_ a: String, _ b: String) -> Bool {
    let x = a.utf8
    let y = b.utf8
    guard x.count == y.count else { return false }
    var j = y.startIndex
    for byte in x {
        guard asciiLower(byte) == asciiLower(y[j]) else { return false }
        j = y.index(after: j)
    }
    return true
}

func asciiLower(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }

extension String {
    /// Without the spaces and tabs that HTTP allows around a value.
    func trimmingHTTPSpace() -> String {
        let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        var rest = utf8[...]
        while let first = rest.first, isSpace(first) { rest.removeFirst() }
        while let last = rest.last, isSpace(last) { rest.removeLast() }
        return rest.count == utf8.count ? self : String(Substring(rest))
    }
}
