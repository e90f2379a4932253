// JSON as bytes: a strict scanner that pulls values out of a borrowed buffer, a value type for documents of unknown shape,
// and a writer. Metrics arrive as JSON, so this room bounds how fast points can be logged: the scanner makes no objects and
// copies nothing that it is not asked for, and numbers are read exactly. Strict means RFC 8259 and nothing more, because
// what one reader forgives the next one misreads. No file, no clock, no other room.

/// Pulls values out of JSON bytes, in the order in which they stand.
///
///     try scanner.object { key, scanner in
///         if key.is("step") { step = try scanner.int64() } else { try scanner.skip() }
///     }
///     try scanner.end()
///
/// Each read checks what it passes over, skipped values too: after `end()` the whole document was valid. Keys may repeat,
/// as the scanner remembers none; `JSONKeySet` refuses that where it matters. The bytes are borrowed: the scanner and the
/// `JSONText`s it lends must not outlive them.
package struct JSONScanner: ~Copyable {
    /// Nesting that no honest client reaches.
    package static let depthLimitDefault = 64
    /// Readers of unknown shapes recurse once a level; this many fit the smallest thread stack we run on.
    package static let depthLimitMax = 512

    let bytes: UnsafeRawBufferPointer
    let count: Int
    /// The next byte to read.
    var position = 0
    private var depth = 0
    /// Whether the innermost container has given nothing yet. One flag is enough: whatever container ends, the one around
    /// it has just given something.
    private var isFirst = false
    private let depthLimit: Int
    let allowsNonFinite: Bool

    /// - Parameter allowsNonFinite: Take the bare words `NaN`, `Infinity` and `-Infinity` as numbers, as Python writes them.
    package init(
        _ bytes: UnsafeRawBufferPointer, depthLimit: Int = depthLimitDefault, allowsNonFinite: Bool = false
    ) {
        precondition((0...Self.depthLimitMax).contains(depthLimit), "a depth limit is from 0 to \(Self.depthLimitMax)")
        self.bytes = bytes
        self.count = bytes.count
        self.depthLimit = depthLimit
        self.allowsNonFinite = allowsNonFinite
    }

    /// Reads one whole document: lends a scanner over `bytes` to `body`, then checks that nothing is left.
    @inlinable
    package static func read<Result>(
        _ bytes: [UInt8], depthLimit: Int = depthLimitDefault, allowsNonFinite: Bool = false,
        _ body: (inout JSONScanner) throws -> Result
    ) throws -> Result {
        try bytes.withUnsafeBytes { bytes in
            var scanner = JSONScanner(bytes, depthLimit: depthLimit, allowsNonFinite: allowsNonFinite)
            let result = try body(&scanner)
            try scanner.end()
            return result
        }
    }

    /// The same where nothing but `JSONError` may be thrown; the closure says so: `{ scanner throws(JSONError) in`.
    @inlinable
    package static func read<Result>(
        _ bytes: [UInt8], depthLimit: Int = depthLimitDefault, allowsNonFinite: Bool = false,
        _ body: (inout JSONScanner) throws(JSONError) -> Result
    ) throws(JSONError) -> Result {
        try bytes.withUnsafeBufferPointer { buffer throws(JSONError) in
            var scanner = JSONScanner(
                UnsafeRawBufferPointer(buffer), depthLimit: depthLimit, allowsNonFinite: allowsNonFinite)
            let result = try body(&scanner)
            try scanner.end()
            return result
        }
    }

    /// A second scanner at the same place, to look ahead with.
    package func fork() -> JSONScanner {
        var fork = JSONScanner(bytes, depthLimit: depthLimit, allowsNonFinite: allowsNonFinite)
        fork.position = position
        fork.depth = depth
        fork.isFirst = isFirst
        return fork
    }

    /// Bytes read so far.
    package var offset: Int { position }

    // MARK: Containers

    /// Reads an object: `body` is given each key and must read, or skip, its value. It may throw errors of its own.
    @inlinable
    package mutating func object(_ body: (JSONText, inout JSONScanner) throws -> Void) throws {
        try beginObject()
        while let key = try nextKey() { try body(key, &self) }
    }

    /// Reads an array: `body` must read, or skip, each element. It may throw errors of its own.
    @inlinable
    package mutating func array(_ body: (inout JSONScanner) throws -> Void) throws {
        try beginArray()
        while try nextElement() { try body(&self) }
    }

    /// Steps into an object; `nextKey()` follows until it gives nil. The loop form of `object`, for
    /// functions that throw `JSONError` alone: a closure would have to spell that type out.
    package mutating func beginObject() throws(JSONError) { try begin(UInt8(ascii: "{"), .object) }

    /// Steps into an array; `nextElement()` follows until it gives false. The loop form of `array`.
    package mutating func beginArray() throws(JSONError) { try begin(UInt8(ascii: "["), .array) }

    /// The next key of the object, its value standing next; nil at the end of the object.
    package mutating func nextKey() throws(JSONError) -> JSONText? {
        var byte = nextByte()
        if isFirst {
            isFirst = false
            if byte == UInt8(ascii: "}") {
                close()
                return nil
            }
        } else if byte == UInt8(ascii: ",") {
            position += 1
            byte = nextByte()
        } else if byte == UInt8(ascii: "}") {
            close()
            return nil
        } else {
            throw unexpected("a comma or the end of the object")
        }
        guard byte == UInt8(ascii: "\"") else { throw unexpected("a key in double quotes") }
        position += 1
        let key = try textBody()
        guard nextByte() == UInt8(ascii: ":") else { throw unexpected("a colon after the key") }
        position += 1
        return key
    }

    /// Whether the array has another element, which stands next.
    package mutating func nextElement() throws(JSONError) -> Bool {
        let byte = nextByte()
        if byte == UInt8(ascii: "]") {
            isFirst = false
            close()
            return false
        }
        if isFirst {
            isFirst = false
            return true
        }
        guard byte == UInt8(ascii: ",") else { throw unexpected("a comma or the end of the array") }
        position += 1
        // A bracket here would be a trailing comma; no reader of a value takes it for one.
        return true
    }

    private mutating func begin(_ opening: UInt8, _ kind: JSONKind) throws(JSONError) {
        guard nextByte() == opening else { throw try wrongKind(wanted: kind) }
        guard depth < depthLimit else {
            throw error(
                .depthExceeded, "Objects and arrays are nested deeper than \(depthLimit) levels",
                remedy: "Flatten the document.")
        }
        position += 1
        depth += 1
        isFirst = true
    }

    private mutating func close() {
        position += 1
        depth -= 1
    }

    // MARK: Values

    /// The kind of the next value, which is not read.
    package mutating func peek() throws(JSONError) -> JSONKind {
        guard let byte = nextByte() else { throw unexpected("a value") }
        switch byte {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        case UInt8(ascii: "N") where allowsNonFinite, UInt8(ascii: "I") where allowsNonFinite: return .number
        default: throw unexpected("a value")
        }
    }

    /// Reads `true` or `false`.
    package mutating func bool() throws(JSONError) -> Bool {
        switch nextByte() {
        case UInt8(ascii: "t"):
            try word("true")
            return true
        case UInt8(ascii: "f"):
            try word("false")
            return false
        default: throw try wrongKind(wanted: .bool)
        }
    }

    /// Passes over `null` if it stands next, and says whether it did.
    package mutating func null() throws(JSONError) -> Bool {
        guard nextByte() == UInt8(ascii: "n") else { return false }
        try word("null")
        return true
    }

    /// Passes over the next value, checking it all the same. Recurses as deep as the depth limit lets it.
    package mutating func skip() throws(JSONError) {
        switch try peek() {
        case .object:
            try beginObject()
            while try nextKey() != nil { try skip() }
        case .array:
            try beginArray()
            while try nextElement() { try skip() }
        case .string: _ = try text()
        case .number: _ = try number()
        case .bool: _ = try bool()
        case .null: _ = try null()
        }
    }

    /// Passes over the next value and lends the bytes it consists of, to be kept or sent on as they are.
    package mutating func rawValue() throws(JSONError) -> UnsafeRawBufferPointer {
        _ = nextByte()
        let start = position
        try skip()
        return UnsafeRawBufferPointer(rebasing: bytes[start..<position])
    }

    /// Checks that only white space is left.
    package mutating func end() throws(JSONError) {
        guard nextByte() == nil else {
            throw error(
                .trailingBytes, "The document goes on after its end, with \(byteName(at: position))",
                remedy: "Send one JSON value and nothing after it.")
        }
    }

    // MARK: Bytes

    /// Passes over white space and gives the next byte, which is not read; nil at the end.
    @inline(__always)
    mutating func nextByte() -> UInt8? {
        while position < count {
            let byte = bytes[position]
            if byte > 0x20 { return byte }
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
            position += 1
        }
        return nil
    }

    /// Passes over a literal word, or refuses what is not quite one.
    mutating func word(_ word: StaticString) throws(JSONError) {
        for i in 0..<word.utf8CodeUnitCount {
            guard position < count, bytes[position] == word.utf8Start[i] else { throw unexpected("“\(word)”") }
            position += 1
        }
    }
}

/// What a JSON value can be.
package enum JSONKind: String, Hashable, Sendable {
    case object, array, string, number, bool, null
}
