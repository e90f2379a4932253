// Values: numbers, quoted text, `true` and `false`, moments (`2025-01-31T10:00Z`, epoch milliseconds, `now()`,
// `ago(7d)`) and lengths of time (`2h`, `1h30m`), with + and - behind moments and lengths of time.
extension NativeParser {
    /// A value as written, before the field says what it must be.
    private enum Value {
        case number(NumberLiteral)
        case duration(Int64)
        case time(TimeValue)
        case text(String)
        case exactText(String)
        case truth(Bool)
    }

    mutating func literal(for field: Field) throws(SearchError) -> Literal {
        let start = scanner.position
        let kind = field.kind
        var value = try value(for: kind)
        let end = { (scanner: Scanner) in scanner.lastPlaceEnd(after: start) }
        if kind == .time { value = .time(try moment(value, at: start..<end(scanner))) }
        if kind == .time || kind == .duration { value = try sum(value, from: start) }
        let place = start..<end(scanner)
        switch kind {
        case .time:
            guard case .time(let moment) = value else { throw wrong(field, at: place) }
            return .time(moment)
        case .duration:
            switch value {
            case .duration(let length): return .number(try seconds(length, at: place))
            case .text(let text):
                guard let number = NumberLiteral(text) else { throw wrong(field, at: place) }
                return .number(number)
            case .number(let number): return .number(number)
            default: throw wrong(field, at: place)
            }
        case .number:
            switch value {
            case .number(let number): return .number(number)
            case .text(let text):
                guard let number = NumberLiteral(text) ?? Self.infinity(text) else { throw wrong(field, at: place) }
                return .number(number)
            default: throw wrong(field, at: place)
            }
        case .typedText:
            switch value {
            case .number(let number): return .number(number)
            case .text(let text): return .text(text)
            case .exactText(let text): return .exactText(text)
            case .truth(let truth): return .text("\(truth)")
            default: throw wrong(field, at: place)
            }
        case .text, .word, .identity:
            switch value {
            case .number(let number): return .text(number.text)
            case .text(let text), .exactText(let text): return .text(text)
            case .truth(let truth): return .text("\(truth)")
            default: throw wrong(field, at: place)
            }
        case .truth:
            switch value {
            case .truth(let truth): return .text("\(truth)")
            case .text(let text) where ["true", "false"].contains(text.lowercased()): return .text(text.lowercased())
            case .number(let number) where number.value == 0 || number.value == 1:
                return .text(number.value == 1 ? "true" : "false")
            default: throw wrong(field, at: place)
            }
        }
    }

    private mutating func value(for kind: FieldKind) throws(SearchError) -> Value {
        if let (text, _) = try quotedText() { return .text(text) }
        if sentence != nil, let value = bareWord(for: kind) { return value }
        let start = scanner.position
        let isNegative = scanner.sign("-") != nil
        if !isNegative { _ = scanner.sign("+") }
        let hasSign = scanner.position != start
        switch scanner.figure() {
        case .number(let digits, let place):
            guard let number = NumberLiteral((isNegative ? "-" : "") + digits) else {
                throw fail(
                    .wrongValue, "The number \(SearchError.quoted(digits)) is too large", at: start..<place.upperBound,
                    remedy: "Numbers go up to about 1.8e308.")
            }
            return .number(number)
        case .duration(let length, _): return .duration(isNegative ? -length : length)
        case .moment(let moment, let place):
            guard !hasSign else { throw brokenFigure(start..<place.upperBound, kind) }
            return .time(.fixed(moment))
        case .broken(let place): throw brokenFigure(start..<place.upperBound, kind)
        case nil: break
        }
        let word = scanner.word()
        if let word, let number = Self.infinity((isNegative ? "-" : "") + word.text) { return .number(number) }
        guard !hasSign, let word else {
            if hasSign { scanner.rewind(to: start) }
            throw expected("a value")
        }
        return try named(word.text, at: word.place, kind)
    }

    /// What a word without quotes stands for.
    private mutating func named(
        _ word: String, at place: Scanner.Place, _ kind: FieldKind
    ) throws(SearchError) -> Value {
        switch word.lowercased() {
        case "true": return .truth(true)
        case "false": return .truth(false)
        case "now":
            if scanner.sign("(") != nil, scanner.sign(")") == nil { throw expected("“)”", after: "now(") }
            return .time(.fromNow(0))
        case "ago":
            guard scanner.sign("(") != nil else { throw expected("“(”", after: "ago") }
            let (length, _) = try length(after: "ago(")
            guard scanner.sign(")") != nil else { throw expected("“)”", after: "ago(7d") }
            return .time(.fromNow(-length))
        case "text" where scanner.sign("(") != nil:
            guard let (text, _) = try quotedText() else { throw expected("text in quotes", after: "text(") }
            guard scanner.sign(")") != nil else { throw expected("“)”", after: "the text") }
            return .exactText(text)
        case "nan":
            throw fail(
                .wrongValue, "Nothing equals NaN, which stands", at: place,
                remedy: "Write IS NAN or IS NOT NAN.")
        case "null", "none", "nil":
            throw fail(
                .wrongValue, "Nothing equals \(SearchError.quoted(word)), which stands", at: place,
                remedy: "Write IS NULL or EXISTS.")
        default: throw unquoted(place, kind)
        }
    }

    private mutating func unquoted(_ place: Scanner.Place, _ kind: FieldKind) -> SearchError {
        scanner.rewind(to: place.lowerBound)
        guard let word = scanner.word(joinedBy: Scanner.joints + ".") else { return expected("a value") }
        let front = word.text.prefix { $0 != "." }.lowercased()
        if word.text.contains("."), ["metrics", "params", "tags", "parent", "experiment", "project"].contains(front) {
            return fail(
                .syntax,
                "A condition compares a field with a value, not with the field \(SearchError.quoted(word.text)),",
                at: word.place, remedy: "Put text in quotes.")
        }
        guard kind.isText else { return wrong(kind, written: word.text, at: word.place) }
        return fail(
            .syntax, "Text needs quotes: \(SearchError.quoted(word.text))", at: word.place,
            suggestion: Literal.quoted(word.text), remedy: "")
    }

    private func brokenFigure(_ place: Scanner.Place, _ kind: FieldKind) -> SearchError {
        let text = scanner.string(place)
        let takesText = kind.isText
        return fail(
            .wrongValue, "\(SearchError.quoted(text)) is neither a number nor a length of time nor a date", at: place,
            suggestion: takesText ? Literal.quoted(text) : nil,
            remedy: takesText ? "Text needs quotes." : "Units of time are ms, s, m, h, d and w: 7d, 1h30m.")
    }

    /// A length of time, or an error at the place where it should stand.
    private mutating func length(after previous: String) throws(SearchError) -> (Int64, Scanner.Place) {
        let start = scanner.position
        if case .duration(let length, let place)? = scanner.figure() { return (length, place) }
        scanner.rewind(to: start)
        throw expected("a length of time such as 7d", after: previous)
    }

    /// In a sentence, `algorithm=Ridge` and `version=1.2.3` need no quotes.
    private mutating func bareWord(for kind: FieldKind) -> Value? {
        switch kind {
        case .number, .time, .duration, .truth: return nil
        case .typedText, .text, .word, .identity: break
        }
        let start = scanner.position
        let sign = scanner.sign("-") != nil ? "-" : ""
        guard let word = scanner.word(joinedBy: Scanner.joints + ".+") else {
            scanner.rewind(to: start)
            return nil
        }
        if scanner.next == UInt8(ascii: "("), word.text.lowercased() == "text" {
            scanner.rewind(to: start)
            return nil
        }
        if let number = NumberLiteral(sign + word.text) { return .number(number) }
        return .text(sign + word.text)
    }

    private static func infinity(_ text: String) -> NumberLiteral? {
        switch text.lowercased() {
        case "inf", "infinity", "+inf", "+infinity": NumberLiteral(.infinity)
        case "-inf", "-infinity": NumberLiteral(-.infinity)
        default: nil
        }
    }

    // MARK: Time

    private func moment(_ value: Value, at place: Scanner.Place) throws(SearchError) -> TimeValue {
        switch value {
        case .time(let time): return time
        case .text(let text):
            if let moment = CalendarTime.parse(text) { return .fixed(moment) }
            if let number = NumberLiteral(text) { return try moment(.number(number), at: place) }
            throw wrong(.time, written: text, at: place)
        case .number(let number):
            let microseconds = (number.value * 1000).rounded()
            guard microseconds.magnitude < 9e18, let moment = CalendarTime.inRange(Int64(microseconds)) else {
                throw outOfRange(place)
            }
            return .fixed(moment)
        case .duration:
            let written = scanner.string(place)
            throw fail(
                .wrongValue, "\(SearchError.quoted(written)) is a length of time, not a moment,", at: place,
                suggestion: "ago(\(written))", remedy: "")
        case .exactText, .truth:
            throw wrong(.time, written: scanner.string(place), at: place)
        }
    }

    /// Adds and takes away the lengths of time that follow.
    private mutating func sum(_ first: Value, from start: Int) throws(SearchError) -> Value {
        var value = first
        while true {
            let isMinus = scanner.sign("-") != nil
            guard isMinus || scanner.sign("+") != nil else { return value }
            let (length, place) = try length(after: isMinus ? "“-”" : "“+”")
            let step = isMinus ? -length : length
            switch value {
            case .time(.fixed(let moment)):
                guard let sum = CalendarTime.inRange(moment.addingReportingOverflow(step).partialValue) else {
                    throw outOfRange(start..<place.upperBound)
                }
                value = .time(.fixed(sum))
            case .time(.fromNow(let offset)):
                guard (offset + step).magnitude <= DurationText.longest.magnitude else {
                    throw outOfRange(start..<place.upperBound)
                }
                value = .time(.fromNow(offset + step))
            case .duration(let length):
                guard (length + step).magnitude <= DurationText.longest.magnitude else {
                    throw outOfRange(start..<place.upperBound)
                }
                value = .duration(length + step)
            default:
                throw fail(
                    .wrongValue, "Only moments and lengths of time are added up, not what stands",
                    at: start..<place.upperBound,
                    remedy: "Give the number a unit: 90s + 2h.")
            }
        }
    }

    private func seconds(_ microseconds: Int64, at place: Scanner.Place) throws(SearchError) -> NumberLiteral {
        let text = microseconds % 1_000_000 == 0 ? "\(microseconds / 1_000_000)" : "\(Double(microseconds) / 1e6)"
        guard let number = NumberLiteral(text) else { throw outOfRange(place) }
        return number
    }

    private func outOfRange(_ place: Scanner.Place) -> SearchError {
        fail(
            .wrongValue, "The time \(SearchError.quoted(scanner.string(place))) is out of range", at: place,
            remedy: "Moments lie between the years 1 and 9999; numbers are epoch milliseconds.")
    }

    private func wrong(_ field: Field, at place: Scanner.Place) -> SearchError {
        wrong(field.kind, written: scanner.string(place), at: place)
    }

    private func wrong(_ kind: FieldKind, written: String, at place: Scanner.Place) -> SearchError {
        let (wanted, remedy): (String, String) =
            switch kind {
            case .number where written.lowercased().contains("nan"):
                ("a number that anything equals", "Write IS NAN or IS NOT NAN.")
            case .number: ("a number", "This field compares with numbers, without quotes.")
            case .typedText, .text, .word, .identity: ("text", "Put text in quotes.")
            case .time: ("a date or time", "Write 2025-01-31, 2025-01-31T10:00Z, epoch milliseconds, now() or ago(7d).")
            case .duration: ("a length of time", "Write seconds, or 90m, 2h, 7d.")
            case .truth: ("true or false", "Write = true or = false.")
            }
        return fail(
            .wrongValue, "\(SearchError.quoted(written)) is not \(wanted)", at: place,
            suggestion: kind.isText ? Literal.quoted(written) : nil, remedy: remedy)
    }
}

extension Scanner {
    /// Where what was read since `start` ends, the blanks behind it left out.
    func lastPlaceEnd(after start: Int) -> Int {
        var end = position
        while end > start, bytes[end - 1] <= 0x20 { end -= 1 }
        return end
    }
}
