import Foundation
import MartletSeries

/// Lines as a writer makes them, and a folder for its files.
enum Logbook {
    static let id = "0123456789abcdef0123456789abcdef"

    static func line(_ sequence: Int, _ op: String, _ rest: String = "", writer: String = "w1") -> String {
        let body =
            "{\"w\":\"\(writer)\",\"seq\":\(sequence),\"t\":1768478400000,\"run\":\"\(id)\",\"op\":\"\(op)\"\(rest)"
        let sum = Array(body.utf8).withUnsafeBytes { crc32c($0) }
        return body + ",\"c\":\"\(String(sum, radix: 16))\"}"
    }

    static func withFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "martlet-adopt-\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder + "/live", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    /// Appends whole lines, without the lock that a writer holds: it is gone when this returns.
    static func write(_ lines: [String], to path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        defer { close(file) }
        let text = lines.map { $0 + "\n" }.joined()
        guard text.withCString({ Glibc.write(file, $0, strlen($0)) }) == text.utf8.count else {
            throw CocoaError(.fileWriteUnknown)
        }
    }
}
