import MartletDomain
import MartletJSON

/// Tokens of the short lists: how far one has read. (Searches of runs have tokens that stay right while runs are added.)
enum PageOffset {
    static func read(_ token: String?) throws(Refusal) -> Int {
        guard let token, !token.isEmpty else { return 0 }
        guard let bytes = Base64Text.decode(token) else {
            throw .mlflow("Invalid page token, could not base64-decode")
        }
        guard let offset = (try? JSONValue(parsing: bytes))?["offset"]?.int64, offset >= 0 else {
            throw .mlflow("Invalid page token, parsed value=\(String(decoding: bytes, as: UTF8.self))")
        }
        return Int(offset)
    }

    static func token(_ offset: Int) -> String { Base64Text.encode(Array("{\"offset\": \(offset)}".utf8)) }

    static func page<Row>(_ rows: [Row], from offset: Int, limit: Int) -> (rows: ArraySlice<Row>, next: String?) {
        let start = min(offset, rows.count)
        let end = min(rows.count, start + limit)
        return (rows[start..<end], end < rows.count ? token(end) : nil)
    }
}
