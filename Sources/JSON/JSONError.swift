/// Why a text was refused as JSON, and where.
///
/// The place is given three ways because each has its reader: the byte offset for programs, the line and column for people.
package struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What to branch on. A struct around a private enum, so that a new code breaks nobody's `switch`.
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Value: String, Hashable {
            case unexpectedEnd, unexpectedByte, trailingBytes, depthExceeded
            case controlCharacter, invalidEscape, loneSurrogate, invalidUTF8
            case invalidNumber, numberTooLarge, notAnInteger, integerTooLarge
            case duplicateKey, wrongKind, refused
        }
        private let value: Value
        private init(_ value: Value) { self.value = value }
        package var description: String { value.rawValue }

        /// The text ends inside a value.
        package static let unexpectedEnd = Code(.unexpectedEnd)
        /// A byte that the grammar does not allow at its place.
        package static let unexpectedByte = Code(.unexpectedByte)
        /// Something other than white space after the document.
        package static let trailingBytes = Code(.trailingBytes)
        /// Objects and arrays nested deeper than the reader allows.
        package static let depthExceeded = Code(.depthExceeded)
        /// A raw control character inside a string.
        package static let controlCharacter = Code(.controlCharacter)
        /// A backslash followed by something that is not an escape.
        package static let invalidEscape = Code(.invalidEscape)
        /// Half of a surrogate pair, which is no character.
        package static let loneSurrogate = Code(.loneSurrogate)
        /// Bytes inside a string that are not UTF-8.
        package static let invalidUTF8 = Code(.invalidUTF8)
        /// Digits that do not make a JSON number (`01`, `1.`, `+1`).
        package static let invalidNumber = Code(.invalidNumber)
        /// A finite number that only infinity could stand for (`1e400`).
        package static let numberTooLarge = Code(.numberTooLarge)
        /// A number with a fraction where a whole one is needed.
        package static let notAnInteger = Code(.notAnInteger)
        /// A whole number beyond 64 bits.
        package static let integerTooLarge = Code(.integerTooLarge)
        /// The same key twice in one object.
        package static let duplicateKey = Code(.duplicateKey)
        /// Valid JSON of another kind than the reader asked for.
        package static let wrongKind = Code(.wrongKind)
        /// Valid JSON that the reader has its own reason to refuse.
        package static let refused = Code(.refused)
    }

    package let code: Code
    /// What happened, with the value.
    package let message: String
    /// What to do about it.
    package let remedy: String
    /// Bytes before the place, from 0.
    package let offset: Int
    /// The line of the place, from 1.
    package let line: Int
    /// The column of the place in characters (Unicode scalars), from 1.
    package let column: Int

    package var description: String { "\(message) (line \(line), column \(column), byte \(offset)). \(remedy)" }
}
