/// Why a blob of points could not be read.
package struct SeriesError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What to branch on; a new one breaks no `switch`.
    package struct Code: Equatable, Sendable {
        private enum Kind { case damaged, unknownVersion, tooLarge }
        private let kind: Kind

        /// The bytes are not what was written: a wrong checksum, a truncation, a count that does not add up.
        package static let damaged = Code(kind: .damaged)
        /// Written by a newer program.
        package static let unknownVersion = Code(kind: .unknownVersion)
        /// It says that it holds more than such a blob may hold.
        package static let tooLarge = Code(kind: .tooLarge)
    }

    package let code: Code
    package let message: String
    package let remedy: String

    package var description: String { "\(message) \(remedy)" }

    static func damaged(_ message: String) -> SeriesError {
        SeriesError(
            code: .damaged, message: message,
            remedy: "Keep the row, serve the rest with a marked gap, and restore it from a backup or a logbook.")
    }

    static func unknownVersion(_ version: UInt8, of blob: String) -> SeriesError {
        SeriesError(
            code: .unknownVersion,
            message: "This \(blob) has version \(version); this program reads version \(Blob.version).",
            remedy: "Open the store with the program that wrote it, or a newer one.")
    }

    static func tooLarge(_ what: String, _ count: UInt64, most: Int) -> SeriesError {
        SeriesError(
            code: .tooLarge, message: "A blob says that it holds \(count) \(what), where \(most) are the most.",
            remedy: "Keep the row, serve the rest with a marked gap, and restore it from a backup or a logbook.")
    }
}
