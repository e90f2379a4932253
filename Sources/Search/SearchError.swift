/// Why a search was not understood or not finished: a code to branch on, a sentence, the place in the text, a remedy.
package struct SearchError: Error, Hashable, Sendable {
    package var code: Code
    /// What happened, with the value and the column, and the suggestion when there is one.
    package var message: String
    /// Where the trouble begins, counted in characters from 1; nil when it is not a place in the text.
    package var column: Int?
    /// How many characters are meant, at least 1.
    package var length: Int
    /// What could stand there instead, ready to be put in its place.
    package var suggestion: String?
    package var remedy: String

    package init(
        _ code: Code, _ message: String, column: Int? = nil, length: Int = 1, suggestion: String? = nil, remedy: String
    ) {
        self.code = code
        self.message = message
        self.column = column
        self.length = max(1, length)
        self.suggestion = suggestion
        self.remedy = remedy
    }
}

extension SearchError {
    /// A struct around a private enum, so that a new code breaks no `switch` elsewhere.
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Name: String {
            case syntax, limit, ambiguous, deadline
            case unknownField = "unknown_field"
            case unknownName = "unknown_name"
            case wrongOperator = "wrong_operator"
            case wrongValue = "wrong_value"
            case badPattern = "bad_pattern"
            case costlyPattern = "costly_pattern"
        }
        private let name: Name
        private init(_ name: Name) { self.name = name }

        package var description: String { name.rawValue }

        /// The text does not follow the grammar.
        package static let syntax = Code(.syntax)
        /// A limit of `SearchLimits` was met; the message says which.
        package static let limit = Code(.limit)
        /// A field that runs do not have.
        package static let unknownField = Code(.unknownField)
        /// A metric or param that nobody has logged; advice in a filter, an error in a question.
        package static let unknownName = Code(.unknownName)
        /// A name that could mean several things.
        package static let ambiguous = Code(.ambiguous)
        /// An operator that this field does not have.
        package static let wrongOperator = Code(.wrongOperator)
        /// A value that this field cannot be compared with.
        package static let wrongValue = Code(.wrongValue)
        /// A regular expression that does not compile.
        package static let badPattern = Code(.badPattern)
        /// A regular expression that tries too many ways through one text.
        package static let costlyPattern = Code(.costlyPattern)
        /// The search's time was up.
        package static let deadline = Code(.deadline)
    }
}

extension SearchError: CustomStringConvertible {
    package var description: String { remedy.isEmpty ? message : "\(message) \(remedy)" }

    /// The searched text on one line with carets under the place, cropped to `width`; nil when there is no place.
    ///
    /// Control characters and line breaks show as a space and anything invisible that could reorder the line as `·`,
    /// one for one, so that the carets stay under what they point at.
    package func caret(in text: String, width: Int = 100) -> String? {
        guard let column else { return nil }
        let characters = text.map(Self.visible)
        let start = min(column - 1, characters.count)
        let first = max(0, min(start - width / 2, characters.count - width))
        let last = min(characters.count, first + width)
        let carets = max(1, min(length, max(1, last - start)))
        return String(characters[first..<last]) + "\n" + String(repeating: " ", count: start - first)
            + String(repeating: "^", count: carets)
    }

    private static func visible(_ character: Character) -> Character {
        for scalar in character.unicodeScalars {
            if scalar.properties.generalCategory == .control { return " " }
            if scalar.properties.generalCategory == .format { return "·" }
        }
        return character.isNewline ? " " : character
    }

    /// A client's word inside a sentence of ours: in quotation marks, cropped, with nothing invisible in it.
    static func quoted(_ text: some StringProtocol) -> String {
        let shown = String(text.prefix(60).map(visible))
        return shown.count < text.count ? "“\(shown)…”" : "“\(shown)”"
    }
}
