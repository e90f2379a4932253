// swift-format-ignore-file: AmbiguousTrailingClosureOverload
/// Appends JSON to a byte array, with no tree and no strings in between.
///
///     var writer = JSONWriter()
///     writer.object { writer in
///         writer.member("run_id", run.id)
///         writer.array("metrics") { writer in for point in points { writer.value(point) } }
///     }
///
/// Commas and indentation come by themselves. That keys stand in objects only is the caller's promise.
package struct JSONWriter {
    /// What becomes of NaN and the infinities, which JSON has no numbers for.
    package enum NonFinite: Sendable {
        /// The strings `"NaN"`, `"Infinity"`, `"-Infinity"`: the reader can tell them apart.
        case names
        /// `null`, for readers that draw numbers and cannot take a string.
        case null
        /// Bare words, which Python reads and RFC 8259 does not know.
        case bare
    }

    /// What was written so far.
    package internal(set) var bytes: [UInt8] = []
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    private let nonFinite: NonFinite
    /// Two spaces a level and a line a value, for people.
    let isPretty: Bool
    /// Writes `<` as `\u003C`, so that the text cannot end a script element that it is embedded in.
    let escapesLessThan: Bool
    private var depth = 0
    var last = Last.opening

    /// What stands before the next value, and so what must come between.
    enum Last { case opening, key, value }

    package init(
        pretty isPretty: Bool = false, nonFinite: NonFinite = .names, escapesLessThan: Bool = false, capacity: Int = 0
    ) {
        self.isPretty = isPretty
        self.nonFinite = nonFinite
        self.escapesLessThan = escapesLessThan
        bytes.reserveCapacity(capacity)
    }

    /// Starts over, keeping the memory.
    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        depth = 0
        last = .opening
    }

    /// Ends a document with a line feed; another may follow, as in a file of one document a line.
    package mutating func endLine() {
        precondition(depth == 0, "a line ends inside an object or array")
        bytes.append(0x0A)
        last = .opening
    }

    // MARK: Containers

    package mutating func beginObject() { begin(UInt8(ascii: "{")) }
    package mutating func endObject() { end(UInt8(ascii: "}")) }
    package mutating func beginArray() { begin(UInt8(ascii: "[")) }
    package mutating func endArray() { end(UInt8(ascii: "]")) }

    package mutating func object(_ members: (inout JSONWriter) -> Void) {
        beginObject()
        members(&self)
        endObject()
    }

    package mutating func array(_ elements: (inout JSONWriter) -> Void) {
        beginArray()
        elements(&self)
        endArray()
    }

    /// A member that is an object.
    package mutating func object(_ key: StaticString, _ members: (inout JSONWriter) -> Void) {
        self.key(key)
        object(members)
    }

    /// A member that is an array.
    package mutating func array(_ key: StaticString, _ elements: (inout JSONWriter) -> Void) {
        self.key(key)
        array(elements)
    }

    // The same for closures that may fail. Those above are there because a generic function of another room is not
    // specialised, which costs more than all that it does.

    package mutating func object<Failure: Error>(
        _ members: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        beginObject()
        try members(&self)
        endObject()
    }

    package mutating func array<Failure: Error>(
        _ elements: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        beginArray()
        try elements(&self)
        endArray()
    }

    package mutating func object<Failure: Error>(
        _ key: StaticString, _ members: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        self.key(key)
        try object(members)
    }

    package mutating func array<Failure: Error>(
        _ key: StaticString, _ elements: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        self.key(key)
        try array(elements)
    }

    // MARK: Members

    /// A key known when the program was written, of plain characters: copied without looking for anything to escape.
    package mutating func key(_ key: StaticString) {
        quote(UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount), then: UInt8(ascii: ":"))
        endKey()
    }

    /// A key that came from somebody.
    package mutating func key(dynamic key: String) {
        quote(escaping: key, then: UInt8(ascii: ":"))
        endKey()
    }

    package mutating func member(_ key: StaticString, _ value: String) {
        self.key(key)
        string(value)
    }

    package mutating func member(_ key: StaticString, _ value: Int64) {
        self.key(key)
        int(value)
    }

    package mutating func member(_ key: StaticString, _ value: Double) {
        self.key(key)
        double(value)
    }

    package mutating func member(_ key: StaticString, _ value: some JSONWritable) {
        self.key(key)
        value.write(to: &self)
    }

    package mutating func member(dynamic key: String, _ value: some JSONWritable) {
        self.key(dynamic: key)
        value.write(to: &self)
    }

    // MARK: Values

    package mutating func value(_ value: some JSONWritable) { value.write(to: &self) }

    package mutating func null() { literal("null") }
    package mutating func bool(_ value: Bool) { literal(value ? "true" : "false") }

    package mutating func string(_ value: String) {
        quote(escaping: value)
        last = .value
    }

    package mutating func int(_ value: Int64) {
        separate()
        last = .value
        // 19 digits and a sign.
        put(atMost: 20) { out in
            var length = value < 0 ? 2 : 1
            var power = value.magnitude / 10
            while power > 0 {
                length += 1
                power /= 10
            }
            var rest = value.magnitude
            var place = length
            repeat {
                place -= 1
                out[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            if value < 0 { out[0] = UInt8(ascii: "-") }
            return length
        }
    }

    /// The shortest digits that read back as the same double: `1.0`, `0.1`, `1e+16`.
    package mutating func double(_ value: Double) {
        guard value.isFinite else { return nonFinite(value) }
        separate()
        last = .value
        var text = value.description
        text.withUTF8 { bytes.append(contentsOf: $0) }
    }

    /// A value that is JSON already, such as one that was stored as it came. The caller vouches for it.
    package mutating func raw(_ json: some Sequence<UInt8>) {
        separate()
        bytes.append(contentsOf: json)
        last = .value
    }

    // MARK: Between values

    private mutating func nonFinite(_ value: Double) {
        let isNegative = value.sign == .minus
        switch nonFinite {
        case .null: null()
        case .names: literal(value.isNaN ? "\"NaN\"" : isNegative ? "\"-Infinity\"" : "\"Infinity\"")
        case .bare: literal(value.isNaN ? "NaN" : isNegative ? "-Infinity" : "Infinity")
        }
    }

    private mutating func literal(_ word: StaticString) {
        separate()
        bytes.append(contentsOf: UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
        last = .value
    }

    private mutating func begin(_ opening: UInt8) {
        separate()
        bytes.append(opening)
        depth += 1
        last = .opening
    }

    private mutating func end(_ closing: UInt8) {
        precondition(depth > 0, "more ends than beginnings")
        depth -= 1
        if last == .value { breakLine() }
        bytes.append(closing)
        last = .value
    }

    private mutating func endKey() {
        if isPretty { bytes.append(UInt8(ascii: " ")) }
        last = .key
    }

    /// Writes what must come between the last thing and the next.
    mutating func separate() {
        switch last {
        case .key: return
        case .value: bytes.append(UInt8(ascii: ","))
        case .opening: if depth == 0 { return }
        }
        breakLine()
    }

    private mutating func breakLine() {
        guard isPretty else { return }
        bytes.append(0x0A)
        for _ in 0..<2 * depth { bytes.append(UInt8(ascii: " ")) }
    }
}
