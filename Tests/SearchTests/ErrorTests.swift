import MartletSearch
import Testing

@Suite("A search that is not understood says where and why") struct ErrorTests {
    struct Case: Sendable {
        var text: String
        var code: SearchError.Code
        var column: Int
        var says: String
        var suggestion: String?
        init(_ text: String, _ code: SearchError.Code, _ column: Int, _ says: String, _ suggestion: String? = nil) {
            (self.text, self.code, self.column, self.says, self.suggestion) = (text, code, column, says, suggestion)
        }
    }

    @Test(
        "column, sentence and suggestion",
        arguments: [
            Case(
                "NOT stauts = 'x'", .unknownField, 5, "Unknown attribute “stauts” at column 5. Did you mean “status”",
                "status"),
            Case(
                "statr = 'x'", .unknownField, 1,
                "Unknown attribute “statr” at column 1. Did you mean “state” or “status”?", "state"),
            Case(
                "accuracy > 0.9", .unknownField, 1, "Did you mean “metrics.accuracy” or “params.accuracy”?",
                "metrics.accuracy"),
            Case("metrcs.acc > 1", .unknownField, 1, "Did you mean “metrics.acc”", "metrics.acc"),
            Case("metrics > 1", .unknownField, 1, "“metrics” needs a key"),
            Case("metrics. > 1", .syntax, 8, "A name is missing"),
            Case("metrics.`a > 1", .syntax, 9, "not closed"),
            Case("metrics.a..b > 1", .syntax, 10, "A name is missing"),
            Case("experiment.metrics.x > 1", .unknownField, 1, "Experiments have no field"),
            Case("parent.experiment.name = 'x'", .unknownField, 1, "parent.experiment.name"),
            Case("dataset.size > 1", .unknownField, 1, "Unknown field “dataset.size”"),
            Case("metrics.a.at(1.5) > 1", .wrongValue, 14, "whole number"),
            Case(
                "metrics.acc", .syntax, 12, "Expected an operator after “metrics.acc”, but the text ends at column 12"),
            Case("metrics.acc 0.9", .syntax, 13, "found “0”"),
            Case("metrics.acc => 0.9", .syntax, 13, "Unknown operator “=>”", ">="),
            Case("metrics.acc > ", .syntax, 15, "Expected a value"),
            Case("metrics.acc > high", .wrongValue, 15, "“high” is not a number"),
            Case("params.m = high", .syntax, 12, "Text needs quotes: “high”", "'high'"),
            Case("started > yesterday", .wrongValue, 11, "“yesterday” is not a date or time"),
            Case("metrics.acc ≥ 1", .syntax, 13, "Unknown operator “≥”", ">="),
            Case("metrics.acc > 'high'", .wrongValue, 15, "“'high'” is not a number"),
            Case("metrics.acc = nan", .wrongValue, 15, "Nothing equals NaN"),
            Case("metrics.acc = 'NaN'", .wrongValue, 15, "is not a number that anything equals"),
            Case("params.x = null", .wrongValue, 12, "Nothing equals “null”"),
            Case("metrics.acc > metrics.best", .syntax, 15, "not with the field “metrics.best”"),
            Case("0.9 < metrics.acc", .syntax, 1, "begins with a field"),
            Case("metrics.acc LIKE '9%'", .wrongOperator, 13, "is not text"),
            Case("archived > true", .wrongOperator, 10, "has no order"),
            Case("name IS NAN", .wrongOperator, 6, "is never NaN"),
            Case("name IS 5", .syntax, 9, "Expected NULL, NOT NULL, NAN or NOT NAN after IS"),
            Case("params.m IN ()", .syntax, 14, "The list is empty"),
            Case("params.m IN 'a'", .syntax, 13, "after IN"),
            Case("params.m IN ('a' 'b')", .syntax, 18, "Expected “,” or “)” in the list"),
            Case("params.m BETWEEN 1, 2", .syntax, 19, "Expected AND between"),
            Case("params.m = 'abc", .syntax, 12, "The quote is not closed"),
            Case("params.größe = 'a' params.b = 1", .syntax, 20, "Expected AND, OR, ORDER BY, LIMIT or the end"),
            Case("(metrics.a > 1", .syntax, 1, "The parenthesis is not closed"),
            Case("metrics.a > 1)", .syntax, 14, "found “)”"),
            Case("metrics.a > 1 AND", .syntax, 18, "Expected a condition after AND, but the text ends"),
            Case("metrics.a > 1 && metrics.b > 1", .syntax, 15, "“&&”", "AND"),
            Case("metrics.a > 1 || metrics.b > 1", .syntax, 15, "“||”", "OR"),
            Case("!metrics.a > 1", .syntax, 1, "“!”", "NOT"),
            Case("params.m =~ '(a'", .badPattern, 16, "does not compile"),
            Case("params.m =~ 'a[é'", .badPattern, 17, "does not compile"),
            Case("params.d > 7d", .wrongValue, 12, "is not text", "'7d'"),
            Case("params.d = 2025-01-01", .wrongValue, 12, "is not text", "'2025-01-01'"),
            Case("params.d = 1.2.3", .wrongValue, 12, "neither a number", "'1.2.3'"),
            Case("started > 7d", .wrongValue, 11, "a length of time, not a moment", "ago(7d)"),
            Case("started > 2025-13-01", .wrongValue, 11, "neither a number"),
            Case("started > 'soon'", .wrongValue, 11, "“soon” is not a date or time"),
            Case("started > now() - 7", .syntax, 19, "Expected a length of time such as 7d after “-”"),
            Case("started > 1e300", .wrongValue, 11, "out of range"),
            Case("started > 9999-12-31 + 400d", .wrongValue, 11, "out of range"),
            Case("metrics.a > 1e999", .wrongValue, 13, "too large"),
            Case("archived = 5", .wrongValue, 12, "true or false"),
            Case("LIMIT 0", .limit, 7, "between 1 and 10000"),
            Case("metrics.a > 1 LIMIT many", .syntax, 21, "a number of rows after LIMIT"),
            Case("ORDER metrics.a", .syntax, 1, "ORDER without BY"),
            Case("ORDER BY metrics.a NULLS LAST", .syntax, 20, "NULLS"),
            Case("ORDER BY metrics.a,", .syntax, 20, "Expected a field to order by"),
            Case("metrics.a > 1 % 2", .syntax, 15, "found “%”"),
        ])
    func places(_ expected: Case) throws {
        let error = try #require(problem(expected.text), "\(expected.text) was accepted")
        #expect(error.code == expected.code, "\(expected.text): \(error)")
        #expect(error.column == expected.column, "\(expected.text): \(error)")
        #expect(error.message.contains(expected.says), "\(expected.text): \(error)")
        #expect(error.suggestion == expected.suggestion, "\(expected.text): \(error)")
    }

    @Test(
        "what the calendar does not have is refused",
        arguments: [
            "2025-02-29", "2025-00-01", "2025-04-31", "0000-01-01", "2025-01-01T24:00", "2025-01-01T10:60",
            "2025-01-01T10:00Zx", "2025-01-01T10:00Z+02:00", "2025-01-01T10:00:00.", "2025-01-01T10", "2025-01-01 ",
            "0001-01-01T00:00+01:00", "9999-12-31T23:59-01:00", "2025-1-1", "",
        ])
    func calendar(_ text: String) {
        #expect(problem("started > '\(text)'")?.code == .wrongValue)
    }

    @Test("what the caller knows comes first among the suggestions")
    func knownNames() throws {
        let names = KnownNames { $0 == .metric ? ["loss", "val.min"] : $0 == .param ? ["lr"] : [] }
        #expect(problem("loss < 1", names: names)?.suggestion == "metrics.loss")
        #expect(problem("lr < 1", names: names)?.suggestion == "params.lr")
        let long = KnownNames { $0 == .metric ? ["val_accuracy"] : [] }
        #expect(problem("val_acc < 1", names: long)?.suggestion == "metrics.val_accuracy")
        #expect(problem("los < 1", names: names)?.suggestion == "metrics.loss")
    }

    @Test("a metric that nobody logged is no error, but advice with a place")
    func advice() throws {
        let names = KnownNames { $0 == .metric ? ["loss", "val.min"] : [] }
        let query = try Query.parse("metrics.los < 1 AND metrics.val.min > 0 AND params.any = 1", names: names)
        #expect(
            query.advice.map(\.message) == [
                "Unknown metric “los” at column 1. Did you mean “metrics.loss”?",
                "Unknown metric “val” at column 21. Did you mean “metrics.`val.min`”?",
            ])
        #expect(try Query.parse("metrics.loss < 1", names: names).advice.isEmpty)
    }

    @Test("carets stand under the place, also behind wide letters and line breaks, and in a long text")
    func carets() throws {
        let text = "params.größe = 1 AND\nstatr = 'x'"
        #expect(problem(text)?.caret(in: text) == "params.größe = 1 AND statr = 'x'\n                     ^^^^^")
        let long = String(repeating: "metrics.a = 1 AND ", count: 50) + "statr = 1"
        let caret = try #require(problem(long)?.caret(in: long, width: 60))
        let lines = caret.split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 60 })
        let start = try #require(lines[1].firstIndex(of: "^"))
        #expect(lines[0].dropFirst(lines[1].distance(from: lines[1].startIndex, to: start)).hasPrefix("statr"))
    }

    @Test("nothing invisible reaches a message")
    func invisible() throws {
        let error = try #require(problem("\u{1B}[31m = 1"))
        #expect(!error.message.unicodeScalars.contains { $0.value < 0x20 })
        let reordered = try #require(problem("params.x = 'a\u{202E}b' params.y"))
        #expect(reordered.caret(in: "params.x = 'a\u{202E}b' params.y")?.unicodeScalars.contains("\u{202E}") == false)
    }

    @Test("each limit is held, named, and not reached one step before")
    func limits() throws {
        let deep = { String(repeating: "(", count: $0) + "metrics.a = 1" + String(repeating: ")", count: $0) }
        #expect(problem(deep(100)) == nil)
        #expect(problem(deep(101))?.code == .limit)
        #expect(problem(deep(101))?.column == 101)
        #expect(problem(deep(30_000))?.message.contains("100 deep") == true)
        #expect(problem(String(repeating: "(", count: 60_000))?.message.contains("100 deep") == true)
        #expect(problem(String(repeating: "NOT ", count: 101) + "metrics.a = 1")?.message.contains("100 deep") == true)
        #expect(problem(String(repeating: "(", count: 100_000))?.message.contains("65536") == true)
        let terms = { Array(repeating: "metrics.a=1", count: $0).joined(separator: " OR ") }
        #expect(problem(terms(1000)) == nil)
        #expect(problem(terms(1001))?.message.contains("1000 conditions") == true)
        let list = { "metrics.a IN (\(Array(repeating: "1", count: $0).joined(separator: ",")))" }
        #expect(problem(list(10_000)) == nil)
        #expect(problem(list(10_001))?.message.contains("10000 values") == true)
        let pattern = { "params.a =~ '\(String(repeating: "a", count: $0))'" }
        #expect(problem(pattern(1024)) == nil)
        #expect(problem(pattern(1025))?.message.contains("1024") == true)
        #expect(problem(Array(repeating: "params.a =~ 'a'", count: 33).joined(separator: " OR "))?.code == .limit)
        #expect(problem("ORDER BY " + Array(repeating: "name", count: 21).joined(separator: ","))?.code == .limit)
    }

    @Test("a tree built by another dialect meets the same limits")
    func limitsOfTrees() throws {
        let leaf = Expression.predicate(Predicate(.metric("a"), .exists(true)))
        #expect(throws: SearchError.self) { try Filter(.all(Array(repeating: leaf, count: 1001))) }
        let deep = (0..<101).reduce(leaf) { tree, _ in .not(tree) }
        #expect(throws: SearchError.self) { try Filter(deep) }
        let long = Condition.like(String(repeating: "a", count: 1025), ignoringCase: true, negated: false)
        #expect(throws: SearchError.self) { try Filter(.predicate(Predicate(.param("a"), long))) }
    }
}
