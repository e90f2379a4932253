/// One file of the app as `web/build` packed it: a line of a table of contents, and its bytes in up to three codings.
///
/// The pack begins with `martlet-web 1`, then a line for each file (name, type, tag, `immutable` or `check`, and the
/// lengths plain, gzip and Brotli, parted by tabs), then an empty line, then all bytes in that order.
struct PackedFile: Sendable {
    var type: String
    var tag: String
    var isImmutable: Bool
    var plain: [UInt8]
    /// Empty where packing did not pay.
    var gzip: [UInt8]
    var brotli: [UInt8]

    /// Nothing where the pack is empty or not one: a binary without its app still serves its API.
    static func all(in pack: UnsafeRawBufferPointer) -> [String: PackedFile] {
        guard let lines = table(pack), lines.text.first == "martlet-web 1" else { return [:] }
        var files: [String: PackedFile] = [:]
        var place = lines.end
        func take(_ length: Int) -> [UInt8]? {
            guard length >= 0, length <= pack.count - place else { return nil }
            defer { place += length }
            return Array(pack[place..<place + length])
        }
        for line in lines.text.dropFirst() {
            let cells = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard cells.count == 7, let plain = Int(cells[4]).flatMap(take), let gzip = Int(cells[5]).flatMap(take),
                let brotli = Int(cells[6]).flatMap(take)
            else { return [:] }
            files[String(cells[0])] = PackedFile(
                type: String(cells[1]), tag: String(cells[2]), isImmutable: cells[3] == "immutable", plain: plain,
                gzip: gzip, brotli: brotli)
        }
        return files
    }

    private static func table(_ pack: UnsafeRawBufferPointer) -> (text: [String], end: Int)? {
        guard let end = pack.firstRange(of: Array("\n\n".utf8)) else { return nil }
        let text = String(decoding: pack[..<end.lowerBound], as: UTF8.self)
        return (text.split(separator: "\n").map(String.init), end.upperBound)
    }
}
