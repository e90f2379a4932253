import MartletJSON
import Testing

/// Runs `body` over a whole document.
private func scan<Result>(
    _ text: String, allowsNonFinite: Bool = false,
    _ body: (inout JSONScanner) throws -> Result
) throws -> Result {
    try JSONScanner.read(Array(text.utf8), allowsNonFinite: allowsNonFinite, body)
}

private func code<Result>(
    _ text: String, allowsNonFinite: Bool = false, _ body: (inout JSONScanner) throws(JSONError) -> Result
) -> JSONError.Code? {
    do throws(JSONError) {
        _ = try JSONScanner.read(Array(text.utf8), allowsNonFinite: allowsNonFinite, body)
        return nil
    } catch { return error.code }
}

@Suite("The scanner pulls values out in order") struct ScannerTests {
    struct Point: Equatable {
        var key = ""
        var value = 0.0
        var step: Int64 = 0
    }

    static let body = """
        {"run_id": "r1", "extra": {"deep": [1, "x", null, {"y": 2}]}, "metrics": [
          {"key": "loss", "value": 0.5, "step": 1}, {"step": 2, "value": "NaN", "k\\u0065y": "a\\nc"}
        ], "more": []}
        """

    @Test("a batch is read with closures, and what is not asked for is skipped")
    func closures() throws {
        var points: [Point] = []
        var run = ""
        try scan(Self.body) { scanner in
            try scanner.object { key, scanner in
                if key.is("metrics") {
                    try scanner.array { scanner in
                        var point = Point()
                        try scanner.object { key, scanner in
                            if key.is("key") {
                                point.key = try scanner.string()
                            } else if key.is("value") {
                                point.value = try scanner.doubleOrName()
                            } else if key.is("step") {
                                point.step = try scanner.int64()
                            }
                        }
                        points.append(point)
                    }
                } else if key.is("run_id") {
                    run = try scanner.string()
                } else {
                    try scanner.skip()
                }
            }
        }
        #expect(run == "r1")
        #expect(points.map(\.key) == ["loss", "a\nc"])
        #expect(points.map(\.step) == [1, 2])
        #expect(points[0].value == 0.5)
        #expect(points[1].value.isNaN)
    }

    @Test("the same batch is read with loops, which may throw errors of their own")
    func loops() throws {
        struct Stop: Error {}
        var keys: [String] = []
        func read(_ scanner: inout JSONScanner) throws {
            try scanner.beginObject()
            while let key = try scanner.nextKey() {
                guard !key.is("more") else { throw Stop() }
                keys.append(key.string)
                try scanner.skip()
            }
        }
        #expect(throws: Stop.self) {
            try Array(Self.body.utf8).withUnsafeBytes {
                var scanner = JSONScanner($0)
                try read(&scanner)
            }
        }
        #expect(keys == ["run_id", "extra", "metrics"])
    }

    @Test("closures may throw the reader's own errors")
    func closureErrors() throws {
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            try scan("[{\"a\":1}]") { try $0.array { try $0.object { _, _ in throw Stop() } } }
        }
    }

    @Test("a key is compared by what it says, escapes or not")
    func keys() throws {
        try scan(#"{"metrics":0,"m\u0065trics":0,"metric":0,"metricsx":0,"":0}"#) { scanner in
            var matches: [Bool] = []
            try scanner.object { key, scanner in
                matches.append(key.is("metrics"))
                #expect(key.is("") == key.string.isEmpty)
                try scanner.skip()
            }
            #expect(matches == [true, true, false, false, false])
        }
    }

    @Test("texts are equal and hash alike when they say the same")
    func texts() throws {
        try scan(#"["aé","a\u00e9","b",""]"#) { scanner in
            var texts: [JSONText] = []
            try scanner.array { scanner in texts.append(try scanner.text()) }
            #expect(texts[0] == texts[1])
            #expect(texts[0] != texts[2])
            #expect(texts[3] != texts[2])
            #expect(Set(texts).count == 3)
        }
    }

    @Test("the next kind is known before the value is read")
    func peek() throws {
        try scan(#"[{}, [], "", -1, true, false, null]"#) { scanner in
            var kinds: [JSONKind] = []
            try scanner.array { scanner in
                kinds.append(try scanner.peek())
                try scanner.skip()
            }
            #expect(kinds == [.object, .array, .string, .number, .bool, .bool, .null])
        }
    }

    @Test("null is taken when it stands there, and only then")
    func null() throws {
        try scan("[null, 1]") { scanner in
            var found: [Bool] = []
            try scanner.array { scanner in
                let isNull = try scanner.null()
                found.append(isNull)
                if !isNull { try scanner.skip() }
            }
            #expect(found == [true, false])
        }
    }

    @Test("looking ahead moves nothing")
    func fork() throws {
        try scan("[[1,2],3]") { scanner in
            var ahead = scanner.fork()
            try ahead.skip()
            try ahead.end()
            #expect(scanner.offset == 0)
            #expect(try scanner.value() == [[1, 2], 3])
        }
    }

    @Test("a value is lent as the bytes it stands in")
    func rawValue() throws {
        let raw = try scan(#"{"a": {"b" : [1, 2.50]} }"#) { scanner in
            var raw = ""
            try scanner.object { _, scanner in
                raw = String(decoding: try scanner.rawValue(), as: UTF8.self)
            }
            return raw
        }
        #expect(raw == #"{"b" : [1, 2.50]}"#)
    }

    @Test("a value of another kind is refused as that")
    func wrongKind() {
        #expect(code("1") { s throws(JSONError) in try s.string() } == .wrongKind)
        #expect(code("\"1\"") { s throws(JSONError) in try s.double() } == .wrongKind)
        #expect(code("\"1\"") { s throws(JSONError) in try s.int64() } == .wrongKind)
        #expect(code("\"1\"") { s throws(JSONError) in try s.doubleOrName() } == .wrongKind)
        #expect(code("null") { s throws(JSONError) in try s.bool() } == .wrongKind)
        #expect(code("[]") { s throws(JSONError) in try s.beginObject() } == .wrongKind)
        #expect(code("{}") { s throws(JSONError) in try s.beginArray() } == .wrongKind)
        #expect(code("") { s throws(JSONError) in try s.string() } == .unexpectedEnd)
    }

    @Test("a reader refuses a valid value for its own reason, at its place")
    func refused() {
        let error = #expect(throws: JSONError.self) {
            try scan("  7") { scanner in
                _ = try scanner.int64()
                throw scanner.error(.refused, "Seven is taken", remedy: "Send eight.")
            }
        }
        #expect(error?.offset == 3)
    }

    @Test("an empty buffer without an address is an empty document")
    func emptyBuffer() {
        #expect(throws: JSONError.self) { try JSONValue(parsing: UnsafeRawBufferPointer(start: nil, count: 0)) }
    }
}

@Suite("Numbers that are not finite") struct NonFiniteTests {
    @Test("bare words are numbers where they are allowed")
    func bare() throws {
        let text = "[NaN, Infinity, -Infinity, 1]"
        #expect(code(text) { s throws(JSONError) in try s.skip() } == .unexpectedByte)
        let values = try #require(try JSONValue(parsing: text, allowsNonFinite: true).array)
        #expect(values[0].double?.isNaN == true)
        #expect(values[1...] == [.double(.infinity), .double(-.infinity), 1])
        for text in ["-NaN", "nan", "Inf", "+Infinity", "Infinit", "NaNa", "Na"] {
            #expect(code(text, allowsNonFinite: true) { s throws(JSONError) in try s.skip() } != nil, "\(text)")
        }
        #expect(code("NaN", allowsNonFinite: true) { s throws(JSONError) in try s.int64() } == .notAnInteger)
        #expect(code("1e999", allowsNonFinite: true) { s throws(JSONError) in try s.double() } == .numberTooLarge)
    }

    @Test(
        "names are numbers for the reader that asks for it",
        arguments: [
            ("\"NaN\"", .nan), ("\"nan\"", .nan), ("\"Infinity\"", .infinity), ("\"inf\"", .infinity),
            ("\"-Infinity\"", -.infinity), ("\"-inf\"", -.infinity), ("2.5", 2.5), ("\"N\\u0061N\"", .nan),
        ] as [(String, Double)])
    func names(_ text: String, _ wanted: Double) throws {
        let value = try scan(text) { scanner in try scanner.doubleOrName() }
        #expect(value == wanted || value.isNaN && wanted.isNaN)
        if !wanted.isFinite {
            #expect(code(text) { s throws(JSONError) in try s.double() } == .wrongKind)
        }
    }
}
