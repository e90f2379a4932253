/// What the text given for an option or an argument must look like. Checked while the command line is read, so that
/// a command never meets a value of the wrong shape.
package enum ValueShape: Hashable, Sendable {
    case text
    /// A whole number in this range.
    case integer(ClosedRange<Int>)
    /// Any number, NaN and infinities included: people log them.
    case number
    /// `key=value`; the value may be empty and may contain `=`.
    case pair
    /// `key=0.5`: a pair whose value is a number.
    case numberPair

    package static let integer = ValueShape.integer(Int.min...Int.max)
    package static let count = ValueShape.integer(0...Int.max)

    /// What is wrong with this text, as the end of a sentence; nil when nothing is.
    func complaint(about text: String) -> String? {
        switch self {
        case .text:
            return nil
        case .integer(let range):
            guard let value = Int(text) else { return "is not a whole number" }
            guard range.contains(value) else {
                switch (range.lowerBound, range.upperBound) {
                case (let low, Int.max): return "is less than \(low)"
                case (Int.min, let high): return "is more than \(high)"
                case (let low, let high): return "is not between \(low) and \(high)"
                }
            }
            return nil
        case .number:
            return ValueShape.number(in: text) == nil ? "is not a number" : nil
        case .pair:
            return ValueShape.pair(in: text) == nil ? "is not of the form key=value" : nil
        case .numberPair:
            guard let pair = ValueShape.pair(in: text) else { return "is not of the form key=number" }
            return ValueShape.number(in: pair.value) == nil ? "has no number after “\(pair.key)=”" : nil
        }
    }

    /// The number a text stands for. Unlike `Double.init` it takes no hexadecimal, which nobody means here.
    package static func number(in text: String) -> Double? {
        guard !text.utf8.contains(where: { $0 == UInt8(ascii: "x") || $0 == UInt8(ascii: "X") }) else { return nil }
        return Double(text)
    }

    /// The two sides of the first `=`; nil without one or without a key before it.
    package static func pair(in text: String) -> (key: String, value: String)? {
        guard let equals = text.firstIndex(of: "="), equals != text.startIndex else { return nil }
        return (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }

    /// Whether a word that begins with `-` can be meant as a value of this shape.
    func admits(dashed word: String) -> Bool {
        switch self {
        case .integer, .number: ValueShape.number(in: word) != nil
        case .text, .pair, .numberPair: ValueShape.looksNegative(word)
        }
    }

    /// `-3`, `-.5`, `-1e-9`: a number rather than an option. `-inf` is not: it reads as three short flags.
    static func looksNegative(_ word: String) -> Bool {
        guard word.hasPrefix("-"), let second = word.dropFirst().first else { return false }
        return (second.isASCII && second.isNumber || second == ".") && number(in: word) != nil
    }
}

/// Where a shell finds the words for a value.
package enum Candidates: Hashable, Sendable {
    case none
    case files
    case folders
    case words([String])
    /// What our own program prints, a word a line, when it is run with these words.
    case answer([String])
}
