/// A literal as its field sees it.
struct Operand: Sendable {
    var text: String
    /// Nil when it only compares as text.
    var number: Double?
    /// Written without quotes beside typed text, so not to be ordered against words.
    var isBareNumber = false
    var moment: Int64?

    init(_ literal: Literal, field: Field, context: EvaluationContext) {
        let kind = field.kind
        switch literal {
        case .number(let literal):
            text = literal.text
            if kind == .number || kind == .duration || kind == .typedText { number = literal.value }
            isBareNumber = kind == .typedText
        case .text(let literal):
            text = literal
            if kind == .typedText { number = NumberText.parse(literal) }
        case .exactText(let literal): text = literal
        case .time(let time):
            moment = time.moment(now: context.now)
            text = ""
        }
        if kind == .word || kind == .identity { text = context.canonical(field, text) }
    }
}

/// The values of an IN list, found by hash however long it is.
struct Membership: Sendable {
    private var texts: Set<String> = []
    private var numbers: Set<Double> = []
    private var moments: Set<Int64> = []
    /// Where a Double does not tell neighbours apart, the digits do.
    private var longIntegers: [Double: [String]] = [:]
    /// Some numbers stand there without quotes.
    let hasBareNumbers: Bool

    init(_ operands: [Operand]) {
        hasBareNumbers = operands.contains(where: \.isBareNumber)
        for operand in operands {
            if let moment = operand.moment { moments.insert(moment) }
            if let number = operand.number {
                numbers.insert(number)
                if number.magnitude >= NumberText.exactBelow { longIntegers[number, default: []].append(operand.text) }
            }
            if operand.moment == nil, !operand.isBareNumber { texts.insert(operand.text) }
        }
    }

    func contains(_ number: Double) -> Bool { numbers.contains(number) }
    func contains(_ moment: Int64) -> Bool { moments.contains(moment) }

    func contains(_ text: String, _ number: Double?, as written: String) -> Bool {
        guard let number, numbers.contains(number) else { return texts.contains(text) }
        guard number.magnitude >= NumberText.exactBelow, let spellings = longIntegers[number] else { return true }
        return spellings.contains { (NumberText.compareIntegers(written, $0) ?? 0) == 0 } || texts.contains(text)
    }
}
