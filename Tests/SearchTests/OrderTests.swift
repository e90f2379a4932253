import MartletSearch
import Testing

@Suite("The order of an answer") struct OrderTests {
    private func order(_ orderBy: String, _ runs: [Sample], limit: Int? = nil) throws -> [String] {
        try Query.parse("", orderBy: [orderBy], limit: limit).select(from: runs, context: tests).documents.map(\.id)
    }

    @Test("NaN and then what is missing come last, whichever way it runs")
    func lastBothWays() throws {
        let values: [(String, SearchValue)] = [
            ("missing", .missing), ("nan", .number(.nan)), ("two", .number(2)), ("inf", .number(.infinity)),
            ("one", .number(1)), ("low", .number(-.infinity)),
        ]
        let runs = values.map { Sample($0.0, [.metric("f1"): $0.1]) }
        #expect(try order("metrics.f1", runs) == ["low", "one", "two", "inf", "nan", "missing"])
        #expect(try order("metrics.f1 DESC", runs) == ["inf", "two", "one", "low", "nan", "missing"])
    }

    @Test("params sort as numbers, however they were written, and words go behind them both ways")
    func numericParams() throws {
        let runs = ["10", "0.01", "auto", "1", "0.1", "best", "9007199254740993", "9007199254740992"]
            .map { Sample($0, [.param("lambda"): .text($0)]) }
        let numbers = ["0.01", "0.1", "1", "10", "9007199254740992", "9007199254740993"]
        #expect(try order("params.lambda", runs) == numbers + ["auto", "best"])
        #expect(try order("params.lambda DESC", runs) == numbers.reversed() + ["best", "auto"])
    }

    @Test("ties go to the newest start, then to the id")
    func ties() throws {
        let starts: [(String, Int64?)] = [("c", 5), ("b", 9), ("a", 5), ("d", nil)]
        let runs = starts.map { start in
            Sample(start.0, [.metric("m"): .number(1), .attribute(.started): start.1.map { .time($0) } ?? .missing])
        }
        #expect(try order("metrics.m", runs) == ["b", "a", "c", "d"])
        #expect(try order("", runs) == ["b", "a", "c", "d"])
        #expect(try order("id DESC", runs) == ["d", "c", "b", "a"])
    }

    @Test("several fields as a list or as one text are the same order")
    func lists() throws {
        let one = try Query.orderTerms(["metrics.f1_score DESC, start_time DESC"])
        #expect(try Query.orderTerms(["metrics.f1_score DESC", "start_time desc"]) == one)
        #expect(try Query.parse("ORDER BY metrics.f1_score DESC, started DESC").order == one)
        #expect(try Query.orderTerms(["", "name asc"]) == [OrderTerm(.attribute(.name))])
        #expect(throws: SearchError.self) { try Query.parse("ORDER BY name", orderBy: ["name"]) }
    }

    private func randomRuns(_ random: inout Seeded, count: Int) -> [Sample] {
        let values: [SearchValue] = [
            .missing, .flag, .number(.nan), .number(1), .number(2), .text("1"), .text("1.0"), .text("2"), .text("a"),
            .text("b"), .text("é"), .typedText("nan", .nan), .time(3), .time(4), .several([]), .several([.number(2)]),
            .text("9007199254740993"), .text("9007199254740992"), .text("9007199254740992.0"),
        ]
        return (0..<count).map {
            Sample(
                "id\(1000 + $0)",
                [
                    .param("p"): random.pick(values), .metric("m"): random.pick(values),
                    .attribute(.started): .time(Int64.random(in: 0...3, using: &random)),
                ])
        }
    }

    @Test("of two runs one comes first, of three the order is never a circle", arguments: [UInt64(21)])
    func laws(seed: UInt64) {
        var random = Seeded(state: seed)
        for terms in [
            [OrderTerm(.param("p"))], [OrderTerm(.param("p"), descending: true)],
            [OrderTerm(.metric("m")), OrderTerm(.param("p"), descending: true)], [],
        ] {
            let order = SortOrder(terms)
            let keys = randomRuns(&random, count: 40).map(order.keys)
            for a in keys.indices {
                for b in keys.indices {
                    let ab = order.compare(keys[a], keys[b])
                    #expect((ab == 0) == (a == b), "seed \(seed)")
                    #expect(ab.signum() == -order.compare(keys[b], keys[a]).signum(), "seed \(seed)")
                    guard ab < 0 else { continue }
                    for c in keys.indices where order.compare(keys[b], keys[c]) < 0 {
                        #expect(order.compare(keys[a], keys[c]) < 0, "seed \(seed): \(keys[a]) \(keys[b]) \(keys[c])")
                    }
                }
            }
        }
    }

    @Test("the first ten of many are the first ten of all sorted, and the total counts all", arguments: [UInt64(22)])
    func firstOfMany(seed: UInt64) throws {
        var random = Seeded(state: seed)
        let runs = randomRuns(&random, count: 500)
        for orderBy in ["params.p", "params.p DESC", "metrics.m DESC, params.p", ""] {
            let all = try order(orderBy, runs)
            #expect(all.count == 500)
            for limit in [1, 10, 499, 500, 600] {
                #expect(try order(orderBy, runs, limit: limit) == Array(all.prefix(limit)), "seed \(seed)")
            }
            #expect(try order(orderBy, runs.shuffled(using: &random)) == all, "seed \(seed)")
        }
        let some = try Query.parse("params.p = 1 LIMIT 2").select(from: runs, context: tests)
        let count = try runs.filter { try finds("params.p = 1", $0) }.count
        #expect(some.documents.count == 2 && some.total == count && count > 2)
    }
}
