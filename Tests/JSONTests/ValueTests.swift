import MartletJSON
import Testing

@Suite("A document as a value") struct ValueTests {
    @Test("parts are reached by name and place, and a wrong turn is nil")
    func access() throws {
        let value = try JSONValue(parsing: #"{"b": [1, 2.5, "x"], "a": {"t": true, "n": null}, "w": 5.0}"#)
        #expect(value["b"]?[0]?.int64 == 1)
        #expect(value["b"]?[0]?.double == 1)
        #expect(value["b"]?[1]?.double == 2.5)
        #expect(value["b"]?[1]?.int64 == nil)
        #expect(value["b"]?[2]?.string == "x")
        #expect(value["b"]?[3] == nil)
        #expect(value["b"]?[-1] == nil)
        #expect(value["b"]?["x"] == nil)
        #expect(value["a"]?["t"]?.bool == true)
        #expect(value["a"]?["n"]?.isNull == true)
        #expect(value["a"]?[0] == nil)
        #expect(value["w"]?.int64 == 5)
        #expect(value["missing"] == nil)
        #expect(value.kind == .object)
    }

    @Test("members keep their order")
    func order() throws {
        let text = #"{"z":1,"a":2,"m":{"y":1,"b":2}}"#
        let value = try JSONValue(parsing: text)
        #expect(value.object?.members.map(\.key) == ["z", "a", "m"])
        var writer = JSONWriter()
        writer.value(value)
        #expect(writer.text == text)
    }

    @Test("an object is changed in place")
    func object() {
        var object = JSONObject([.init("a", 1), .init("b", 2)])
        object["a"] = 3
        object["c"] = nil
        object["d"] = nil
        object["e"] = [true]
        object["b"] = nil as JSONValue?
        #expect(object.members == [.init("a", 3), .init("e", [true])])
    }

    @Test(
        "integers stay integers, and what is none becomes a double",
        arguments: [
            ("1", .int(1)), ("-1", .int(-1)), ("9223372036854775807", .int(.max)), ("1.0", .double(1)),
            ("1e2", .double(100)), ("9223372036854775808", .double(0x1p63)),
        ] as [(String, JSONValue)])
    func numbers(_ text: String, _ wanted: JSONValue) throws { #expect(try JSONValue(parsing: text) == wanted) }

    @Test("minus zero keeps its sign")
    func minusZero() throws {
        let value = try JSONValue(parsing: "-0")
        #expect(value.double?.sign == .minus)
    }
}
