import MartletSearch
import Testing

@Suite("A vocabulary gives the language to documents that are no runs") struct VocabularyTests {
    private let birds = Vocabulary(
        "bird", [("species", .text), ("wings", .number), ("ringed", .time), ("state", .word)],
        also: ["kind": "species"], spaces: [.tag, .metric])

    private func bird(_ values: [String: SearchValue]) -> Sample {
        var sample = Sample()
        for (name, value) in values { if let field = birds.field(name) { sample.values[field] = value } }
        return sample
    }

    @Test(
        "its attributes compare by their kind, under each of their spellings",
        arguments: [
            ("species = 'martin'", true), ("KIND LIKE 'mar%'", true), ("attributes.kind != 'martin'", false),
            ("wings >= 2 AND wings < 3", true), ("ringed > 2025-06-01 AND ringed < ago(1d)", true),
            ("species IN ('swift', 'martin') AND NOT wings = 4", true), ("species MATCHES '^m.*n$'", true),
        ])
    func compare(_ filter: String, _ isFound: Bool) throws {
        let document = bird([
            "species": .text("martin"), "wings": .number(2), "ringed": .time(noon - 3 * 86_400_000_000),
        ])
        #expect(try Query.parse(filter, of: birds).filter.matches(document, context: tests) == isFound)
    }

    @Test("a word that it does not have is refused, with the nearest that it has")
    func unknown() {
        for (filter, suggestion) in [
            ("specis = 'a'", "species"), ("duration > 1", nil), ("params.a = 1", nil), ("parent.name = 'a'", nil),
            ("dataset.name = 'a'", nil), ("tags EXISTS", nil),
        ] as [(String, String?)] {
            let error = #expect(throws: SearchError.self) { _ = try Query.parse(filter, of: birds) }
            #expect(error?.code == .unknownField && error?.suggestion == suggestion, "\(filter): \(error as Any)")
            #expect(error?.message.contains("bird") == true)
        }
    }

    @Test("tags and metrics are as a run's, and a metric's name is all that stands behind the prefix")
    func spaces() throws {
        let query = try Query.parse("metrics.a.min > 1 AND tags.b = 'c'", of: birds)
        #expect(query.filter.leaves.map(\.field) == [.metric("a.min"), .tag("b")])
    }

    @Test("what a run's filter means does not change, and a run has none of these attributes")
    func runs() throws {
        #expect(throws: SearchError.self) { _ = try Query.parse("species = 'a'") }
        let order = try Query.orderTerms(["wings DESC, species"], of: birds)
        #expect(order.map(\.isDescending) == [true, false])
        let field = try #require(birds.field("species"))
        #expect(try Query.parse("state = 'done'").filter.leaves[0].field == .attribute(.state))
        #expect(
            try !Filter(.predicate(Predicate(field, .compare(.equal, .text("a"))))).matches(Sample(), context: tests))
    }
}
