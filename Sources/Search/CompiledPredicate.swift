/// One condition, ready to be asked of many values: patterns compiled, moments resolved, words in their one spelling.
///
/// This is the only place that says what a condition means. The rules: a missing key satisfies nothing but IS NULL; a
/// key without a value satisfies nothing but EXISTS; NaN satisfies no comparison, `!=` included, only IS NAN. Typed
/// text and a value that are both numbers compare as numbers; otherwise they compare as text, except that a number
/// written without quotes is never ordered against text (`params.lr > 0.1` does not find `auto`), only unequal to it.
package struct CompiledPredicate: Sendable {
    package let predicate: Predicate
    private let check: Check
    private let kind: FieldKind
    private let context: EvaluationContext

    private enum Check {
        case compare(Comparison, Operand)
        case between(Operand, Operand, negated: Bool)
        case among(Membership, negated: Bool)
        case like(LikePattern, negated: Bool)
        case matches(RegexPattern, negated: Bool)
        case exists(Bool)
        case isNaN(Bool)
    }

    package init(_ predicate: Predicate, in context: EvaluationContext) throws(SearchError) {
        self.predicate = predicate
        self.context = context
        let field = predicate.field
        kind = field.kind
        let operand = { (literal: Literal) in Operand(literal, field: field, context: context) }
        switch predicate.condition {
        case .compare(let comparison, let literal): check = .compare(comparison, operand(literal))
        case .between(let low, let high, let negated): check = .between(operand(low), operand(high), negated: negated)
        case .among(let literals, let negated): check = .among(Membership(literals.map(operand)), negated: negated)
        case .like(let pattern, let ignoringCase, let negated):
            check = .like(LikePattern(pattern, ignoringCase: ignoringCase), negated: negated)
        case .matches(let pattern, let negated):
            do {
                check = .matches(try RegexPattern(pattern, accelerated: true), negated: negated)
            } catch {
                throw .badPattern(pattern, error.reason)
            }
        case .exists(let wanted): check = .exists(wanted)
        case .isNaN(let wanted): check = .isNaN(wanted)
        }
    }

    /// The verdict on one value.
    package func test(_ value: SearchValue) throws(SearchError) -> Bool {
        switch value {
        case .missing:
            if case .exists(false) = check { return true }
            return false
        case .flag:
            if case .exists(true) = check { return true }
            return false
        case .number(let number): return test(number)
        case .time(let moment): return test(moment)
        case .text(let text):
            return try test(text, kind == .typedText && wantsNumber ? NumberText.parse(text) : nil)
        case .typedText(let text, let number): return try test(text, kind == .typedText ? number : nil)
        case .several(let values):
            if values.isEmpty { return try test(.missing) }
            for value in values where try test(value) { return true }
            return false
        }
    }

    /// The verdicts on some of a column's distinct values, so that each is tested once however many runs share it. So few
    /// at a time that the clock is read in between.
    package func verdicts(on values: ArraySlice<SearchValue>) throws(SearchError) -> [Bool] {
        try context.checkDeadline()
        var verdicts: [Bool] = []
        verdicts.reserveCapacity(values.count)
        // A pattern may go over 100,000 texts, and to ask for each what is to be done takes longer than to do it.
        if case .like(let pattern, let negated) = check {
            for value in values {
                switch value {
                case .text(let text), .typedText(let text, _): verdicts.append(pattern.matches(text) != negated)
                default: verdicts.append(try test(value))
                }
            }
        } else {
            for value in values { verdicts.append(try test(value)) }
        }
        return verdicts
    }

    /// What is looked for in the texts of a column all at once; nil where each has to be asked by itself.
    private var wantedPiece: (bytes: [UInt8], negated: Bool)? {
        guard case .like(let pattern, let negated) = check, !pattern.ignoresCase, let piece = pattern.infix,
            !piece.isEmpty
        else { return nil }
        return (piece, negated)
    }

    /// How many values are tested between two looks at the clock.
    package var valuesAtOnce: Int { wantedPiece == nil ? 512 : 1 << 16 }

    /// The same verdicts, of values that also lie in a heap.
    package func verdicts(on values: ArraySlice<SearchValue>, in texts: TextHeap) throws(SearchError) -> [Bool] {
        guard let (piece, negated) = wantedPiece else { return try verdicts(on: values) }
        try context.checkDeadline()
        return try texts.verdicts(holding: piece, among: values.indices, found: !negated) {
            (place) throws(SearchError) in
            try test(values[place])
        }
    }

    /// Sets bit i of `bits` where number i satisfies the condition; every number is there, NaN means NaN.
    package func mark(_ numbers: Span<Double>, in bits: inout [UInt64]) {
        precondition(bits.count * 64 >= numbers.count, "one bit a number")
        // One loop a comparison, so that each becomes vector instructions; the meaning is that of `test`.
        guard case .compare(let comparison, let operand) = check, let limit = operand.number else {
            return Self.mark(numbers, &bits) { test($0) }
        }
        switch comparison {
        case .equal: Self.mark(numbers, &bits) { $0 == limit }
        case .notEqual: Self.mark(numbers, &bits) { $0 < limit || $0 > limit }
        case .less: Self.mark(numbers, &bits) { $0 < limit }
        case .lessOrEqual: Self.mark(numbers, &bits) { $0 <= limit }
        case .greater: Self.mark(numbers, &bits) { $0 > limit }
        case .greaterOrEqual: Self.mark(numbers, &bits) { $0 >= limit }
        }
    }

    @inline(__always)
    private static func mark(_ numbers: Span<Double>, _ bits: inout [UInt64], _ isWanted: (Double) -> Bool) {
        numbers.withUnsafeBufferPointer { numbers in
            for start in stride(from: 0, to: numbers.count, by: 64) {
                var marks: UInt64 = 0
                for bit in 0..<min(64, numbers.count - start) {
                    marks |= (isWanted(numbers[start + bit]) ? 1 : 0) &<< UInt64(truncatingIfNeeded: bit)
                }
                bits[start / 64] |= marks
            }
        }
    }

    /// Dear conditions come last in an AND or OR.
    var cost: Int {
        switch check {
        case .exists, .isNaN: 0
        case .compare, .between, .among: 1
        case .like: 2
        case .matches: 3
        }
    }

    private var wantsNumber: Bool {
        switch check {
        case .like, .matches, .exists: false
        default: true
        }
    }
}

extension CompiledPredicate {
    private func test(_ number: Double) -> Bool {
        switch check {
        case .exists(let wanted): return wanted
        case .isNaN(let wanted): return number.isNaN == wanted
        case .like, .matches: return false
        default: if number.isNaN { return false }
        }
        func order(_ operand: Operand) -> Int? {
            operand.number.map { number < $0 ? -1 : number > $0 ? 1 : 0 }
        }
        switch check {
        case .compare(let comparison, let operand):
            guard let order = order(operand) else { return comparison == .notEqual }
            return comparison.holds(order)
        case .between(let low, let high, let negated):
            guard let low = order(low), let high = order(high) else { return false }
            return (low >= 0 && high <= 0) != negated
        case .among(let members, let negated): return members.contains(number) != negated
        default: return false
        }
    }

    private func test(_ moment: Int64) -> Bool {
        func order(_ operand: Operand) -> Int? { operand.moment.map { moment < $0 ? -1 : moment > $0 ? 1 : 0 } }
        switch check {
        case .exists(let wanted): return wanted
        case .isNaN(let wanted): return !wanted
        case .compare(let comparison, let operand):
            guard let order = order(operand) else { return false }
            return comparison.holds(order)
        case .between(let low, let high, let negated):
            guard let low = order(low), let high = order(high) else { return false }
            return (low >= 0 && high <= 0) != negated
        case .among(let members, let negated): return members.contains(moment) != negated
        case .like, .matches: return false
        }
    }

    private func test(_ text: String, _ number: Double?) throws(SearchError) -> Bool {
        switch check {
        case .exists(let wanted): return wanted
        case .isNaN(let wanted): return (number?.isNaN ?? false) == wanted
        case .like(let pattern, let negated):
            try context.checkDeadline()
            return pattern.matches(text) != negated
        case .matches(let pattern, let negated):
            try context.checkDeadline()
            switch pattern.look(in: text) {
            case .found: return !negated
            case .absent: return negated
            case .gaveUp: throw .costlyPattern(predicate, text)
            }
        case .compare(let comparison, let operand):
            return holds(comparison, text, number, operand)
        case .between(let low, let high, let negated):
            return negated
                ? holds(.less, text, number, low) || holds(.greater, text, number, high)
                : holds(.greaterOrEqual, text, number, low) && holds(.lessOrEqual, text, number, high)
        case .among(let members, let negated):
            let isNumber = number.map { !$0.isNaN } ?? false
            if negated, let number, number.isNaN, members.hasBareNumbers { return false }
            return members.contains(spelled(text), isNumber ? number : nil, as: text) != negated
        }
    }

    private func holds(_ comparison: Comparison, _ text: String, _ number: Double?, _ operand: Operand) -> Bool {
        if let limit = operand.number, let number, !number.isNaN {
            if number == limit, number.magnitude >= NumberText.exactBelow,
                let order = NumberText.compareIntegers(text, operand.text)
            {
                return comparison.holds(order)
            }
            return comparison.holds(number < limit ? -1 : number > limit ? 1 : 0)
        }
        if operand.isBareNumber {
            // NaN satisfies nothing; other text is not equal to a number, and that is all that can be said.
            return comparison == .notEqual && number == nil
        }
        let text = spelled(text)
        return comparison.holds(text == operand.text ? 0 : text < operand.text ? -1 : 1)
    }

    private func spelled(_ text: String) -> String {
        kind == .word ? context.canonical(predicate.field, text) : text
    }
}

extension Comparison {
    /// Whether it holds between two values in this order: negative, zero or positive.
    func holds(_ order: Int) -> Bool {
        switch self {
        case .equal: order == 0
        case .notEqual: order != 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        case .greaterOrEqual: order >= 0
        }
    }
}

extension EvaluationContext {
    func checkDeadline() throws(SearchError) {
        if let deadline, ContinuousClock.now >= deadline { throw .deadlinePassed }
    }
}

extension SearchError {
    static func badPattern(_ pattern: String, _ reason: String) -> SearchError {
        SearchError(
            .badPattern, "The regular expression \(quoted(pattern)) does not compile: \(reason).",
            remedy: "Put a backslash before a character that should stand for itself.")
    }

    static func costlyPattern(_ predicate: Predicate, _ text: String) -> SearchError {
        SearchError(
            .costlyPattern,
            "The condition \(quoted(predicate.description)) gave up on \(quoted(text)): more than "
                + "\(SearchLimits.matchSteps) ways to try.",
            remedy: "Avoid a repeat inside a repeat, such as (a+)+; a LIKE pattern is never slow.")
    }
}
