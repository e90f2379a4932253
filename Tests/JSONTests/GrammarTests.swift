import MartletJSON
import Testing

/// Reads the document twice, into a value and by skipping it; gives the code of what refused it, nil if nothing did.
private func refusal(_ bytes: [UInt8]) -> JSONError.Code? {
    var skipped: JSONError?
    do throws(JSONError) {
        try JSONScanner.read(bytes) { scanner throws(JSONError) in try scanner.skip() }
    } catch { skipped = error }
    do throws(JSONError) {
        _ = try JSONValue(parsing: bytes)
        #expect(skipped == nil, "read as a value but refused when skipped: \(bytes)")
        return nil
    } catch {
        // Skipping looks neither for repeated keys nor at the size of numbers; all else it must see, at the same place.
        if error.code != .duplicateKey, error.code != .numberTooLarge { #expect(skipped == error) }
        return error.code
    }
}

@Suite("The grammar is RFC 8259, no less and no more") struct GrammarTests {
    @Test(
        "valid documents are read",
        arguments: [
            "null", "true", "false", "0", "-0", "-1", "1.5", "1e5", "1E+5", "1e-5", "0.0", "0e0",
            "123456789012345678901",
            "\"\"", "\"a\"", "\"\\u0041\"", "\"\\ud83d\\udc26\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\u{7F}\"",
            "\"é中🐦\"",
            "\"\\u0000\"", "\"\u{2028}\"", "\"\u{10FFFF}\"", "\"\u{FFFF}\"",
            "[]", "[ ]", "{}", "{ }", "[1]", "[1,2]", "[[],{}]", "{\"a\":1}", "{\"\":0}", " \t\r\n1 \t\r\n",
            "{\"a\":{\"b\":[{\"c\":null}]},\"d\":\"e\"}", "[\n1\n,\n2\n]", "{ \"a\" : 1 , \"b\" : 2 }",
            "\"0123456789 longer than eight bytes\"", "\"1234567\"", "\"12345678\"", "\"1234567é\"",
        ])
    func valid(_ text: String) { #expect(refusal(Array(text.utf8)) == nil) }

    @Test(
        "everything else is refused, and the code says why",
        arguments: [
            ("", .unexpectedEnd), (" ", .unexpectedEnd), ("[", .unexpectedEnd), ("[1", .unexpectedEnd),
            ("[1,", .unexpectedEnd), ("{", .unexpectedEnd), ("{\"a\"", .unexpectedEnd), ("{\"a\":", .unexpectedEnd),
            ("{\"a\":1", .unexpectedEnd), ("{\"a\":1,", .unexpectedEnd), ("\"a", .unexpectedEnd),
            ("\"\\", .unexpectedEnd), ("\"\\u00", .unexpectedEnd), ("tru", .unexpectedEnd), ("-", .unexpectedEnd),
            ("1.", .unexpectedEnd), ("1e", .unexpectedEnd), ("1e+", .unexpectedEnd),
            ("[,]", .unexpectedByte), ("[1,]", .unexpectedByte), ("[,1]", .unexpectedByte), ("[1,,2]", .unexpectedByte),
            ("[1 2]", .unexpectedByte), ("[1:2]", .unexpectedByte), ("[1}", .unexpectedByte), ("{]", .unexpectedByte),
            ("{\"a\":1]", .unexpectedByte), ("{,}", .unexpectedByte), ("{\"a\":1,}", .unexpectedByte),
            ("{\"a\" 1}", .unexpectedByte), ("{\"a\",1}", .unexpectedByte), ("{a:1}", .unexpectedByte),
            ("{1:1}", .unexpectedByte), ("{'a':1}", .unexpectedByte), ("'a'", .unexpectedByte),
            ("{\"a\":}", .unexpectedByte), ("nul1", .unexpectedByte), ("True", .unexpectedByte),
            ("NaN", .unexpectedByte), ("Infinity", .unexpectedByte), ("-Infinity", .invalidNumber),
            ("// a\n1", .unexpectedByte), ("/**/1", .unexpectedByte), ("\u{FEFF}1", .unexpectedByte),
            ("\u{A0}1", .unexpectedByte), ("\u{0C}1", .unexpectedByte), ("\u{0}", .unexpectedByte),
            ("]", .unexpectedByte), ("}", .unexpectedByte), (",", .unexpectedByte), ("+1", .unexpectedByte),
            (".5", .unexpectedByte), ("1 1", .trailingBytes), ("[]]", .trailingBytes), ("{}}", .trailingBytes),
            ("1,", .trailingBytes), ("nullx", .trailingBytes), ("1\u{0}", .trailingBytes), ("1a", .trailingBytes),
            ("0x10", .trailingBytes), ("1.2.3", .trailingBytes), ("1_000", .trailingBytes), ("1e5.5", .trailingBytes),
            ("01", .invalidNumber), ("-01", .invalidNumber), ("00", .invalidNumber), ("1.e5", .invalidNumber),
            ("-a", .invalidNumber), ("--1", .invalidNumber), ("1e+a", .invalidNumber), ("[1.]", .invalidNumber),
            ("\"\n\"", .controlCharacter), ("\"\t\"", .controlCharacter), ("\"\u{0}\"", .controlCharacter),
            ("\"12345678\u{1F}\"", .controlCharacter), ("{\"\u{1}\":1}", .controlCharacter),
            ("\"\\x41\"", .invalidEscape), ("\"\\'\"", .invalidEscape), ("\"\\u00g0\"", .invalidEscape),
            ("\"\\U0041\"", .invalidEscape), ("\"\\u+041\"", .invalidEscape),
            ("\"\\ud800\"", .loneSurrogate), ("\"\\udc00\"", .loneSurrogate), ("\"\\ud800\\n\"", .loneSurrogate),
            ("\"\\ud800\\u0041\"", .loneSurrogate), ("\"\\ud800\\ud800\"", .loneSurrogate),
            ("\"\\udc26\\ud83d\"", .loneSurrogate), ("1e309", .numberTooLarge),
            ("-1e999999999999999999999", .numberTooLarge),
            ("{\"a\":1,\"a\":2}", .duplicateKey), ("{\"a\":1,\"\\u0061\":2}", .duplicateKey),
            ("[{\"x\":{\"b\":1,\"c\":2,\"b\":3}}]", .duplicateKey),
        ] as [(String, JSONError.Code)])
    func invalid(_ text: String, _ code: JSONError.Code) { #expect(refusal(Array(text.utf8)) == code) }

    @Test(
        "bytes in a string that are not UTF-8 are refused",
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF],
            [0xE1, 0x80], [0xE1, 0x80, 0x41], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80],
            [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x90, 0x80], [0xF1, 0x80, 0x80, 0x41], [0xF4, 0x90, 0x80, 0x80],
            [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF],
        ] as [[UInt8]])
    func invalidUTF8(_ sequence: [UInt8]) {
        #expect(refusal([0x22] + sequence + [0x22]) == .invalidUTF8)
        #expect(refusal(Array("\"abcdefg".utf8) + sequence + [0x22]) == .invalidUTF8)
        #expect(refusal([0x7B, 0x22] + sequence + Array("\":1}".utf8)) == .invalidUTF8)
    }

    @Test("two-byte sequences are accepted exactly where Swift's own decoder accepts them")
    func everyPairOfBytes() {
        for pair in 0...UInt16.max {
            let bytes = [UInt8(pair >> 8), UInt8(pair & 0xFF)]
            guard bytes[0] >= 0x80 || bytes[1] >= 0x80, !bytes.contains(0x22), !bytes.contains(0x5C),
                bytes.allSatisfy({ $0 >= 0x20 })
            else { continue }
            let isValid = String(validating: bytes, as: UTF8.self) != nil
            let isRead = (try? JSONValue(parsing: [0x22] + bytes + [0x22])) != nil
            if isRead != isValid { Issue.record("\(bytes): read \(isRead), valid \(isValid)") }
        }
    }

    @Test("nesting is read to the limit and refused past it, however deep", arguments: [64, 66, 100_000, 1_000_000])
    func depth(_ depth: Int) {
        let wanted: JSONError.Code? = depth > 64 ? .depthExceeded : nil
        let arrays = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        let objects = String(repeating: "{\"a\":", count: depth) + "1" + String(repeating: "}", count: depth)
        #expect(refusal(Array(arrays.utf8)) == wanted)
        #expect(refusal(Array(objects.utf8)) == wanted)
        #expect(refusal(Array(String(repeating: "[{\"a\":", count: depth / 2).utf8)) == (wanted ?? .unexpectedEnd))
    }

    @Test("the depth limit is the caller's to set, and the deepest one fits the stack")
    func depthLimit() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        let value = try JSONValue(parsing: nested(512), depthLimit: 512)
        var writer = JSONWriter()
        writer.value(value)
        #expect(writer.text == nested(512))
        #expect(throws: JSONError.self) { try JSONValue(parsing: nested(513), depthLimit: 512) }
        #expect(throws: JSONError.self) { try JSONValue(parsing: "[]", depthLimit: 0) }
        #expect(try JSONValue(parsing: "1", depthLimit: 0) == 1)
    }

    @Test("a wide object after a deep one is not taken for deep")
    func depthIsGivenBack() throws {
        let element = "{\"a\":[[[]]]}"
        let text = "[" + Array(repeating: element, count: 100).joined(separator: ",") + "]"
        #expect(try JSONValue(parsing: text, depthLimit: 5).array?.count == 100)
    }

    @Test("an error says what, where and what to do")
    func errorPlace() throws {
        let text = "{\n  \"é\": 1,\n  \"ключ\": tru\n}"
        let error = try #require(throws: JSONError.self) { try JSONValue(parsing: text) }
        #expect(error.code == .unexpectedByte)
        #expect(error.line == 3)
        #expect(error.column == 14)
        #expect(Array(text.utf8)[..<error.offset].elementsEqual("{\n  \"é\": 1,\n  \"ключ\": tru".utf8))
        #expect(error.message == "Found the byte 0x0A where “true” should stand")
        #expect(!error.remedy.isEmpty)
    }

    @Test("an error does not grow with the body")
    func errorSize() throws {
        let long = String(repeating: "k", count: 100_000)
        let error = try #require(throws: JSONError.self) { try JSONValue(parsing: "{\"\(long)\":1,\"\(long)\":2}") }
        #expect(error.message.utf8.count < 200)
    }

    @Test("thousands of keys are told apart, and a repeated one among them is found")
    func manyKeys() throws {
        let members = (0..<20_000).map { "\"k\($0)\":\($0)" }.joined(separator: ",")
        #expect(try JSONValue(parsing: "{\(members)}").object?.count == 20_000)
        let error = try #require(throws: JSONError.self) { try JSONValue(parsing: "{\(members),\"k\\u0037\":0}") }
        #expect(error.code == .duplicateKey)
    }

    @Test("keys that look alike but differ in bytes are different keys")
    func keysAreBytes() throws {
        let value = try JSONValue(parsing: "{\"\u{E9}\":1,\"e\u{301}\":2}")
        #expect(value["\u{E9}"] == 1)
        #expect(value["e\u{301}"] == 2)
    }
}
