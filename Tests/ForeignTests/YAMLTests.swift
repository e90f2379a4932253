import MartletDomain
import MartletJSON
import Testing

@testable import MartletForeign

@Suite("YAML is read as other trackers write it") struct YAMLTests {
    private func read(_ text: String) throws -> JSONValue { try YAML.parse(Array(text.utf8), "meta.yaml") }

    @Test("maps, lists and every kind of scalar")
    func values() throws {
        let value = try read(
            """
            experiment_id: '0'
            creation_time: 1700000000000
            name: 'it''s: fine'
            long: a text that goes
              on in the next line
            quoted: "a\\u00e9\\n"
            tags: []
            nothing: null
            empty:
            flag: true
            number: 0.5
            inputs:
            - a
            - b: {c: 1}
            """)
        #expect(value["experiment_id"] == "0")
        #expect(value["creation_time"] == 1_700_000_000_000)
        #expect(value["name"] == "it's: fine")
        #expect(value["long"] == "a text that goes on in the next line")
        #expect(value["quoted"] == "aé\n")
        #expect(value["tags"] == [])
        #expect(value["nothing"] == .null && value["empty"] == .null)
        #expect(value["flag"] == true && value["number"] == 0.5)
        #expect(value["inputs"] == ["a", ["b": ["c": 1]]])
    }

    @Test(
        "what looks like a number and is none stays a text", arguments: ["1.2.3", "12ab", "-x", "1_000", "2024-01-02"])
    func notNumbers(_ text: String) throws { #expect(try read("v: \(text)")["v"] == .string(text)) }

    @Test(
        "damage is named with its place", arguments: ["a: [1\n", "a: 'x\n", "\tb: 1\n", "a: *x\n", "{a: &x 1, b: *x}"])
    func damage(_ text: String) {
        let refused = #expect(throws: Refusal.self) { _ = try read(text) }
        #expect(refused?.code == .malformed && refused?.message.contains("meta.yaml") == true)
    }

    @Test("a document nested without end is refused")
    func depth() {
        let refused = #expect(throws: Refusal.self) { _ = try read(String(repeating: "[", count: 5000)) }
        #expect(refused?.code == .malformed)
    }
}

@Suite("MLflow's files of points") struct MetricFileTests {
    private func columns(_ text: String) -> MetricColumns { MetricFile.columns(Array(text.utf8), of: "loss") }

    @Test("each spelling of a line is a point")
    func lines() {
        let found = columns("1 0.5 2\n2 nan -3\n3 inf 4\n4 -inf 5\n5 1e-3\n6 0.25 7 data d1gest\n")
        #expect(found.times == [1, 2, 3, 4, 5, 6])
        #expect(found.steps == [2, -3, 4, 5, 0, 7])
        #expect(found.values[1].isNaN && found.values[2] == .infinity && found.values[3] == -.infinity)
        #expect(found.values[4] == 0.001 && found.problems.isEmpty)
    }

    @Test("what is no point is told by its line, and the last line must have an end")
    func problems() {
        let found = columns("1 0.5 2\nno\n2 x 3\n3 0.5 4")
        #expect(found.count == 1)
        #expect(found.problems.count == 3)
        #expect(found.problems[0].contains("line 2") && found.problems[2].contains("no end"))
    }
}
