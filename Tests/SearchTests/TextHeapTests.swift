import Testing

@testable import MartletSearch

@Suite("A piece of text is found in a whole column at once") struct TextHeapTests {
    private func predicate(_ pattern: String, ignoringCase: Bool = false, negated: Bool = false) throws
        -> CompiledPredicate
    {
        try CompiledPredicate(
            Predicate(Field(.param("p")), .like(pattern, ignoringCase: ignoringCase, negated: negated)), in: tests)
    }

    /// What each value says by itself is right; the heap must agree, however its values are cut into parts.
    private func compare(_ values: [SearchValue], _ pattern: String) throws {
        var heap = TextHeap()
        for value in values { heap.append(value) }
        for (ignoring, negated) in [(false, false), (false, true), (true, false)] {
            let predicate = try predicate(pattern, ignoringCase: ignoring, negated: negated)
            let expected = try values.map { try predicate.test($0) }
            for step in [values.count, 1, 7] {
                var found: [Bool] = []
                for start in stride(from: 0, to: values.count, by: max(1, step)) {
                    found += try predicate.verdicts(
                        on: values[start..<min(start + max(1, step), values.count)], in: heap)
                }
                #expect(found == expected, "\(pattern) over \(values.count) values in parts of \(step)")
            }
        }
    }

    @Test("texts, numbers, flags and what is missing answer as they do alone")
    func kinds() throws {
        let values: [SearchValue] = [
            .missing, .text("xgboost"), .typedText("0.125", 0.125), .flag, .number(5), .text(""), .text("boo"),
            .several([.text("a boo"), .text("b")]), .several([]), .text("Grüße"), .text("bo"), .text("o"), .missing,
        ]
        for pattern in ["%boo%", "%o%", "%ü%", "%25%", "%%", "%xgboost%", "%oo%", "boo%", "%b_o%", "%\\%%"] {
            try compare(values, pattern)
        }
    }

    @Test("a piece does not reach from the end of one text into the next")
    func boundaries() throws {
        try compare(["ab", "cab", "c", "", "abc", "bca"].map { .text($0) }, "%abc%")
        try compare(["aaaa", "aaa", "aa", "a", ""].map { .text($0) }, "%aaa%")
    }

    @Test("of random texts the same are found as one by one")
    func random() throws {
        var state: UInt64 = 0x1234_5678_9ABC_DEF1
        func next(_ limit: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(limit))
        }
        for _ in 0..<60 {
            let values: [SearchValue] = (0..<next(120)).map { _ in
                next(12) == 0
                    ? .missing : .text(String((0..<next(50)).map { _ in Character(["a", "b", "c", "é"][next(4)]) }))
            }
            try compare(values, "%" + String((0...next(20)).map { _ in Character(["a", "b"][next(2)]) }) + "%")
        }
    }
}
