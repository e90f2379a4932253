extension NativeParser {
    /// A field, an operator that the field has, and values that it can be compared with.
    mutating func predicate(after previous: String?) throws(SearchError) -> Predicate {
        let start = scanner.position
        let field = try field(after: previous)
        let name = scanner.string(start..<scanner.position)
        let operatorStart = scanner.position
        let condition = try condition(of: field, named: SearchError.quoted(name.trimmingBlanks))
        if let problem = operatorProblem(condition, on: field) {
            throw fail(
                .wrongOperator, "\(field) \(problem.what)",
                at: operatorStart..<scanner.lastPlaceEnd(after: operatorStart),
                remedy: problem.remedy)
        }
        return Predicate(field, condition)
    }

    private mutating func condition(of field: Field, named name: String) throws(SearchError) -> Condition {
        if let comparison = try comparison() { return .compare(comparison, try literal(for: field)) }
        if scanner.sign("=~") != nil { return .matches(try regex(), negated: false) }
        if scanner.sign("!~") != nil { return .matches(try regex(), negated: true) }
        if scanner.keyword("IS") != nil {
            let rewindTo = scanner.position
            let isNegated = scanner.keyword("NOT") != nil
            if scanner.keyword("NULL") != nil { return .exists(isNegated) }
            if scanner.keyword("NAN") != nil { return .isNaN(!isNegated) }
            if sentence != nil, !scanner.atEnd {
                scanner.rewind(to: rewindTo)
                return .compare(scanner.keyword("NOT") != nil ? .notEqual : .equal, try literal(for: field))
            }
            throw expected("NULL, NOT NULL, NAN or NOT NAN", after: "IS")
        }
        let isNegated = scanner.keyword("NOT") != nil
        if scanner.keyword("EXISTS") != nil { return .exists(!isNegated) }
        if scanner.keyword("IN") != nil { return .among(try list(for: field), negated: isNegated) }
        if scanner.keyword("LIKE") != nil {
            return .like(try pattern(), ignoringCase: false, negated: isNegated)
        }
        if scanner.keyword("ILIKE") != nil {
            return .like(try pattern(), ignoringCase: true, negated: isNegated)
        }
        if scanner.keyword("MATCHES") != nil { return .matches(try regex(), negated: isNegated) }
        if scanner.keyword("BETWEEN") != nil {
            let low = try literal(for: field)
            guard scanner.keyword("AND") != nil else { throw expected("AND between the two ends of BETWEEN") }
            return .between(low, try literal(for: field), negated: isNegated)
        }
        throw expected(
            isNegated ? "IN, LIKE, ILIKE, MATCHES, BETWEEN or EXISTS" : "an operator", after: isNegated ? "NOT" : name)
    }

    private mutating func comparison() throws(SearchError) -> Comparison? {
        for (written, meant) in [("=>", ">="), ("=<", "<="), ("=!", "!="), ("≥", ">="), ("≤", "<="), ("≠", "!=")] {
            if let place = scanner.sign(written) {
                throw fail(.syntax, "Unknown operator “\(written)”", at: place, suggestion: meant, remedy: "")
            }
        }
        if scanner.bytes[scanner.position...].starts(with: "=~".utf8) { return nil }
        let signs: [(String, Comparison)] = [
            ("==", .equal), ("!=", .notEqual), ("<>", .notEqual), ("<=", .lessOrEqual), (">=", .greaterOrEqual),
            ("=", .equal), ("<", .less), (">", .greater),
        ]
        for (sign, comparison) in signs where scanner.sign(sign) != nil { return comparison }
        return nil
    }

    private mutating func list(for field: Field) throws(SearchError) -> [Literal] {
        guard scanner.sign("(") != nil else { throw expected("“(” and a list of values", after: "IN") }
        if let place = scanner.sign(")") {
            throw fail(.syntax, "The list is empty", at: place, remedy: "Put values between the parentheses.")
        }
        var literals: [Literal] = []
        repeat {
            guard literals.count < SearchLimits.listValues else {
                throw .longList(column: column(scanner.position))
            }
            literals.append(try literal(for: field))
        } while scanner.sign(",") != nil
        guard scanner.sign(")") != nil else { throw expected("“,” or “)” in the list") }
        return literals
    }

    // MARK: Patterns

    private mutating func pattern() throws(SearchError) -> String { try patternAndPlace().text }

    private mutating func patternAndPlace() throws(SearchError) -> (text: String, place: Scanner.Place) {
        let start = scanner.position
        guard let (text, place) = try quotedText() else {
            if sentence != nil, let word = scanner.word(joinedBy: Scanner.joints + ".%") {
                return (word.text, word.place)
            }
            throw expected("a pattern in quotes")
        }
        guard text.utf8.count <= SearchLimits.patternBytes else {
            throw .longPattern(text, column: column(start))
        }
        return (text, place)
    }

    private mutating func regex() throws(SearchError) -> String {
        let (text, place) = try patternAndPlace()
        regexes += 1
        guard regexes <= SearchLimits.regexes else {
            throw .tooManyRegexes(column: column(place.lowerBound))
        }
        do {
            _ = try RegexPattern(text, accelerated: false)
        } catch {
            let at = min(place.lowerBound + 1 + error.offset, place.upperBound - 1)
            throw fail(
                .badPattern, "The regular expression \(SearchError.quoted(text)) does not compile (\(error.reason))",
                at: scanner.characterPlace(around: at),
                remedy: "Put a backslash before a character that should stand for itself.")
        }
        return text
    }

    mutating func quotedText() throws(SearchError) -> (text: String, place: Scanner.Place)? {
        for mark: Unicode.Scalar in ["'", "\""] {
            switch scanner.quoted(mark) {
            case .text(let text, let place): return (text, place)
            case .open(let place):
                throw fail(
                    .syntax, "The quote is not closed that opens", at: place.lowerBound..<place.lowerBound + 1,
                    remedy: "Add \(mark) at the end; a quote inside the text is doubled.")
            case nil: continue
            }
        }
        return nil
    }

    // MARK: Which field has which operator

    private func operatorProblem(_ condition: Condition, on field: Field) -> (what: String, remedy: String)? {
        let kind = field.kind
        switch condition {
        case .exists: return nil
        case .compare(let comparison, _):
            guard kind == .truth, comparison != .equal, comparison != .notEqual else { return nil }
            return ("is true or false and has no order", "Write \(field) = true.")
        case .among, .between:
            return kind == .truth ? ("is true or false and has no list or range", "Write \(field) = true.") : nil
        case .like, .matches:
            return kind.isText ? nil : ("is not text and has no patterns", "Compare it with =, <, > or BETWEEN.")
        case .isNaN:
            return kind == .number || kind == .typedText ? nil : ("is never NaN", "IS NULL asks for what is missing.")
        }
    }
}

extension Scanner {
    /// The whole character that a byte belongs to.
    func characterPlace(around byte: Int) -> Place {
        var start = max(0, min(byte, bytes.count - 1))
        while start > 0, bytes[start] & 0xC0 == 0x80 { start -= 1 }
        var end = min(start + 1, bytes.count)
        while end < bytes.count, bytes[end] & 0xC0 == 0x80 { end += 1 }
        return start..<end
    }
}

extension String {
    fileprivate var trimmingBlanks: Substring {
        var text = Substring(self)
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
