import Glibc
import MartletDomain
import MartletEngine
import MartletJSON
import MartletSeries
import MartletStorage

/// Points as the body of a request holds them, read straight into columns.
///
/// This is the hot path of the server. No value is made of the JSON, names are compared where they lie and become
/// strings once, and a name is mostly found without hashing: clients log the same names in the same order, so the name
/// after the last one is tried first. All shapes that a body may have are read in one pass:
///
/// - `{"metric_name":"loss","metric_value":0.5,"step":1}`
/// - `{"metrics":{"loss":0.5,"train":{"acc":0.9}},"step":1,"timestamp":"2024-01-15T10:30:00Z"}`, groups becoming
///   `train/acc`; both in one object are merged
/// - an array of these
/// - `{"series":[{"metric":"loss","steps":[1,2],"values":[0.5,0.4],"timestamps":[…]}]}`, for many points of few metrics
struct MetricBody {
    /// Reads a whole body. With `stepInside`, a metric called `step` inside `metrics` is the step: on a WebSocket frames
    /// have it there in both directions.
    static func read(_ body: [UInt8], now: Timestamp, stepInside: Bool = false) throws(Refusal) -> MetricInput {
        do {
            return try body.withUnsafeBytes { bytes in
                var reader = MetricBody(now: now.micros, stepInside: stepInside)
                defer { reader.letGo() }
                var scanner = JSONScanner(bytes, allowsNonFinite: true)
                try reader.read(&scanner)
                try scanner.end()
                return reader.input()
            }
        } catch let error as Refusal {
            throw error
        } catch let error as JSONError {
            throw Refusal(malformed: error)
        } catch {
            throw Refusal(.malformed, "The body cannot be read.", remedy: "Send it as the API's document shows.")
        }
    }

    /// A name that lies in the body or in memory of ours.
    private struct Name: Hashable {
        var bytes: UnsafeRawBufferPointer

        static func == (a: Name, b: Name) -> Bool {
            guard a.bytes.count == b.bytes.count else { return false }
            guard let left = a.bytes.baseAddress, let right = b.bytes.baseAddress else { return true }
            return memcmp(left, right, a.bytes.count) == 0
        }
        func hash(into hasher: inout Hasher) { hasher.combine(bytes: bytes) }
    }

    private let now: Int64
    private let stepInside: Bool
    private var places: [Name: Int] = [:]
    private var names: [Name] = []
    private var columns: [SeriesPoints] = []
    /// In which object a name was last met, to find one that stands twice in it.
    private var metIn: [Int] = []
    private var object = 0
    private var next = 0
    private var unstepped: [UnsteppedValue] = []
    /// Values of the object that is being read, until its step is known.
    private var pendingPlaces: [Int] = []
    private var pendingValues: [Double] = []
    /// Names that had to be put together: with escapes, or of a group.
    private var owned: [UnsafeMutableRawBufferPointer] = []
    private var lastTimeText: [UInt8] = []
    private var lastTime: Int64 = 0

    private init(now: Int64, stepInside: Bool) { (self.now, self.stepInside) = (now, stepInside) }

    private mutating func letGo() { for memory in owned { memory.deallocate() } }

    private func input() -> MetricInput {
        var batch = PointBatch()
        for place in names.indices where !columns[place].isEmpty { batch.append(text(place), columns[place]) }
        return MetricInput(batch: batch, unstepped: unstepped)
    }

    private func text(_ place: Int) -> String { String(decoding: names[place].bytes, as: UTF8.self) }

    // MARK: Shapes

    private mutating func read(_ scanner: inout JSONScanner) throws {
        guard try scanner.peek() == .array else { return try readObject(&scanner) }
        try scanner.beginArray()
        while try scanner.nextElement() { try readObject(&scanner) }
    }

    private mutating func readObject(_ scanner: inout JSONScanner) throws {
        object &+= 1
        pendingPlaces.removeAll(keepingCapacity: true)
        pendingValues.removeAll(keepingCapacity: true)
        var step: Int64?
        var time: Int64?
        var single: Int?
        var singleValue: Double?
        var isKnown = false
        var met: UInt8 = 0
        var strangers = JSONKeySet()
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            if key.is("metric_name") {
                try once(1, &met, key, scanner)
                guard try scanner.peek() == .string else { throw wrong("metric_name", "a text") }
                single = try place(of: try scanner.text(), scanner)
                isKnown = true
            } else if key.is("metric_value") {
                try once(2, &met, key, scanner)
                singleValue = try number(&scanner, "metric_value")
                isKnown = true
            } else if key.is("step") {
                try once(4, &met, key, scanner)
                step = try readStep(&scanner) ?? step
            } else if key.is("metrics") {
                try once(8, &met, key, scanner)
                guard try scanner.peek() == .object else { throw wrong("metrics", "an object of numbers") }
                try readGroup(&scanner, prefix: nil, step: &step)
                isKnown = true
            } else if key.is("timestamp") {
                try once(16, &met, key, scanner)
                time = try readTime(&scanner)
            } else if key.is("series") {
                try once(32, &met, key, scanner)
                guard try scanner.peek() == .array else { throw wrong("series", "a list") }
                try scanner.beginArray()
                while try scanner.nextElement() { try readSeries(&scanner) }
                isKnown = true
            } else {
                try strangers.insert(key, at: scanner)
                try scanner.skip()
            }
        }
        guard isKnown else {
            throw Refusal(
                .invalid, "The body names no metric.",
                remedy:
                    "Send {\"metrics\":{\"loss\":0.5},\"step\":1} or {\"metric_name\":\"loss\",\"metric_value\":0.5}.",
                field: "metrics")
        }
        if let single {
            guard let singleValue else { throw missing("metric_value", beside: "metric_name") }
            pendingPlaces.append(single)
            pendingValues.append(singleValue)
        } else if singleValue != nil {
            throw missing("metric_name", beside: "metric_value")
        }
        keep(step: step, time: time)
    }

    /// Refuses a key that stands twice: readers disagree about which of them counts.
    private func once(_ bit: UInt8, _ met: inout UInt8, _ key: JSONText, _ scanner: borrowing JSONScanner) throws {
        guard met & bit == 0 else {
            throw scanner.error(
                .duplicateKey, "The key “\(key.string)” occurs twice in one object", remedy: "Send each key once.")
        }
        met |= bit
    }

    private mutating func keep(step: Int64?, time: Int64?) {
        guard let step else {
            for (index, place) in pendingPlaces.enumerated() {
                unstepped.append(
                    UnsteppedValue(
                        name: text(place), value: pendingValues[index], time: time.map(Timestamp.init(micros:))))
            }
            return
        }
        let time = time ?? now
        for index in pendingPlaces.indices {
            columns[pendingPlaces[index]].append(step: step, time: time, value: pendingValues[index])
        }
    }

    private mutating func readGroup(_ scanner: inout JSONScanner, prefix: [UInt8]?, step: inout Int64?) throws {
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            if stepInside, prefix == nil, key.is("step") {
                step = try readStep(&scanner) ?? step
                continue
            }
            let kind = try scanner.peek()
            if kind == .object {
                var group = prefix ?? []
                key.withUTF8 { group += $0 }
                group.append(UInt8(ascii: "/"))
                try readGroup(&scanner, prefix: group, step: &step)
                continue
            }
            let place = try prefix.map { try self.place(of: key, in: $0, scanner) } ?? place(of: key, scanner)
            let value = kind == .number ? try readNumber(&scanner, place) : try number(&scanner, text(place), kind)
            pendingPlaces.append(place)
            pendingValues.append(value)
        }
    }

    private mutating func readSeries(_ scanner: inout JSONScanner) throws {
        object &+= 1
        guard try scanner.peek() == .object else { throw wrong("series", "a list of objects") }
        var place: Int?
        var steps: [Int64]?
        var times: [Int64]?
        var values: [Double] = []
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            if key.is("metric") || key.is("name") {
                guard try scanner.peek() == .string else { throw wrong("metric", "a text") }
                place = try self.place(of: try scanner.text(), scanner)
            } else if key.is("steps") {
                if try scanner.null() { continue }
                steps = try list(&scanner, "steps") { reader, scanner in
                    guard let step = try reader.readStep(&scanner, "steps") else {
                        throw reader.wrong("steps", "a list of whole numbers")
                    }
                    return step
                }
            } else if key.is("values") {
                values = try list(&scanner, "values") { reader, scanner in try reader.number(&scanner, "values") }
            } else if key.is("timestamps") {
                if try scanner.null() { continue }
                times = try list(&scanner, "timestamps") { reader, scanner in
                    try reader.readTime(&scanner, "timestamps") ?? reader.now
                }
            } else {
                try scanner.skip()
            }
        }
        guard let place else { throw missing("metric", beside: "values") }
        for (count, field) in [(steps?.count, "steps"), (times?.count, "timestamps")] {
            guard let count, count != values.count else { continue }
            throw Refusal(
                .invalid, "The series “\(text(place))” has \(values.count) values and \(count) \(field).",
                remedy: "Send one of each for every point.", field: field)
        }
        if let steps {
            columns[place].append(
                SeriesPoints(
                    steps: steps, times: times ?? Array(repeating: now, count: steps.count), values: values))
        } else {
            let name = text(place)
            for (index, value) in values.enumerated() {
                unstepped.append(
                    UnsteppedValue(name: name, value: value, time: times.map { Timestamp(micros: $0[index]) }))
            }
        }
    }

    private mutating func list<Element>(
        _ scanner: inout JSONScanner, _ field: String,
        _ element: (inout MetricBody, inout JSONScanner) throws -> Element
    ) throws -> [Element] {
        guard try scanner.peek() == .array else { throw wrong(field, "a list") }
        var list: [Element] = []
        try scanner.beginArray()
        while try scanner.nextElement() { list.append(try element(&self, &scanner)) }
        return list
    }

    // MARK: Names

    private mutating func place(of key: JSONText, _ scanner: borrowing JSONScanner) throws -> Int {
        if key.hasEscapes { return try place(of: own { bytes in key.withUTF8 { bytes += $0 } }, scanner) }
        return try place(of: Name(bytes: key.escapedBytes), scanner)
    }

    private mutating func place(of key: JSONText, in group: [UInt8], _ scanner: borrowing JSONScanner) throws -> Int {
        try place(
            of: own { bytes in
                bytes += group
                key.withUTF8 { bytes += $0 }
            }, scanner)
    }

    private mutating func place(of name: Name, _ scanner: borrowing JSONScanner) throws -> Int {
        let found: Int
        if next < names.count, names[next] == name {
            found = next
        } else if let known = places[name] {
            found = known
        } else {
            found = names.count
            places[name] = found
            names.append(name)
            columns.append(SeriesPoints())
            metIn.append(0)
        }
        next = found + 1 == names.count ? 0 : found + 1
        guard metIn[found] != object else {
            throw scanner.error(
                .duplicateKey, "The metric “\(text(found).prefix(80))” stands twice in one object",
                remedy: "Send each metric once a step, or several objects in an array.")
        }
        metIn[found] = object
        return found
    }

    /// A name in memory of ours; it goes when the body has been read.
    private mutating func own(_ make: (inout [UInt8]) -> Void) -> Name {
        var bytes: [UInt8] = []
        make(&bytes)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 1)
        memory.copyBytes(from: bytes)
        owned.append(memory)
        return Name(bytes: UnsafeRawBufferPointer(rebasing: memory[..<bytes.count]))
    }

    // MARK: Values

    private func readNumber(_ scanner: inout JSONScanner, _ place: Int) throws -> Double {
        do { return try scanner.double() } catch {
            throw error.code == .numberTooLarge ? wrong(text(place), error) : error
        }
    }

    private func number(_ scanner: inout JSONScanner, _ field: String) throws -> Double {
        try number(&scanner, field, try scanner.peek())
    }

    private func number(_ scanner: inout JSONScanner, _ field: String, _ kind: JSONKind) throws -> Double {
        switch kind {
        case .number, .string:
            do { return try scanner.doubleOrName() } catch {
                throw error.code == .wrongKind || error.code == .numberTooLarge ? wrong(field, error) : error
            }
        case .bool: return try scanner.bool() ? 1 : 0
        case .null, .array, .object:
            throw Refusal(
                .invalid, "The metric “\(field.prefix(80))” is not a number but \(kind.rawValue).",
                remedy: "Send a number, or \"NaN\", \"Infinity\" or \"-Infinity\".", field: field)
        }
    }

    private func readStep(_ scanner: inout JSONScanner, _ field: String = "step") throws -> Int64? {
        if try scanner.null() { return nil }
        guard try scanner.peek() == .number else { throw wrong(field, "a whole number") }
        do { return try scanner.int64() } catch {
            throw error.code == .notAnInteger || error.code == .integerTooLarge ? wrong(field, error) : error
        }
    }

    /// ISO 8601 or epoch milliseconds.
    private mutating func readTime(_ scanner: inout JSONScanner, _ field: String = "timestamp") throws -> Int64? {
        switch try scanner.peek() {
        case .null:
            _ = try scanner.null()
            return nil
        case .number:
            let number = try scanner.number()
            if let millis = number.int64 { return Timestamp(millis: millis).micros }
            guard number.double.magnitude < 9e15 else { throw wrong(field, "a time in epoch milliseconds") }
            return Int64((number.double * 1000).rounded())
        case .string:
            let text = try scanner.text()
            if !lastTimeText.isEmpty, text.escapedBytes.elementsEqual(lastTimeText) { return lastTime }
            let string = text.string
            guard let time = Timestamp(iso: string) ?? Int64(string).map({ Timestamp(millis: $0) }) else {
                throw Refusal(
                    .invalid, "“\(string.prefix(60))” is no time.",
                    remedy: "Send ISO 8601, such as 2024-01-15T10:30:00Z, or epoch milliseconds.", field: field)
            }
            (lastTimeText, lastTime) = (Array(text.escapedBytes), time.micros)
            return time.micros
        default: throw wrong(field, "a time (ISO 8601 or epoch milliseconds)")
        }
    }

    // MARK: Refusals

    private func wrong(_ field: String, _ wanted: String) -> Refusal {
        Refusal(.invalid, "“\(field)” must be \(wanted).", remedy: "Correct the field.", field: field)
    }

    private func wrong(_ field: String, _ error: JSONError) -> Refusal {
        Refusal(
            .invalid, "“\(field.prefix(80))”: \(error.message).", remedy: error.remedy, field: field,
            column: error.column)
    }

    private func missing(_ field: String, beside other: String) -> Refusal {
        Refusal(
            .invalid, "There is “\(other)” without “\(field)”.", remedy: "Send both.", field: field)
    }
}
