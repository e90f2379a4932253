import MartletHTTPMessages
import Testing

@Suite("Forms are read piece by piece") struct MultipartTests {
    private static let type = MediaType("multipart/form-data; boundary=XX")
    private static let form =
        "preamble\r\n--XX\r\nContent-Disposition: form-data; name=\"path\"\r\n\r\nmodels/a b.txt\r\n--XX  \r\n"
        + "content-disposition: form-data; name=file; filename=\"q%22uo.bin\"\r\nContent-Type: text/plain\r\n\r\n"
        + "line\r\n--X not yet\r\n-\r\n\r\n--XX\r\nContent-Disposition: form-data; name=\"e\"; filename*=UTF-8''%C3%A4\r\n\r\n\r\n"
        + "--XX--\r\nepilogue --XX\r\n"

    /// Parts with their bodies joined, as if read in one go.
    private func read(_ bytes: [UInt8], pieces: [Int]) throws -> [(MultipartParser.Part, String)] {
        var parser = try MultipartParser(MultipartTests.type)
        var parts: [(MultipartParser.Part, [UInt8])] = []
        var ended = 0
        var start = 0
        for size in pieces + [bytes.count] {
            let end = min(bytes.count, start + size)
            try bytes.withUnsafeBytes { buffer in
                try parser.feed(UnsafeRawBufferPointer(rebasing: buffer[start..<end])) { event in
                    switch event {
                    case .part(let part): parts.append((part, []))
                    case .data(let data): parts[parts.count - 1].1 += data
                    case .endOfPart: ended += 1
                    case .end: break
                    }
                }
            }
            start = end
        }
        try parser.finish()
        #expect(ended == parts.count)
        return parts.map { ($0.0, String(decoding: $0.1, as: UTF8.self)) }
    }

    private func check(_ parts: [(MultipartParser.Part, String)], _ note: Comment? = nil) {
        #expect(parts.map(\.0.name) == ["path", "file", "e"], note)
        #expect(parts.map(\.0.filename) == [nil, "q\"uo.bin", "ä"], note)
        #expect(parts.map(\.1) == ["models/a b.txt", "line\r\n--X not yet\r\n-\r\n", ""], note)
        #expect(parts[1].0.contentType == "text/plain", note)
    }

    @Test("in one piece, and byte by byte")
    func whole() throws {
        let bytes = Array(MultipartTests.form.utf8)
        check(try read(bytes, pieces: []))
        check(try read(bytes, pieces: [Int](repeating: 1, count: bytes.count)))
    }

    @Test("cut anywhere, the same")
    func anywhere() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = Seeded(state: seed)
        let bytes = Array(MultipartTests.form.utf8)
        for _ in 0..<300 {
            let pieces = (0..<Int.random(in: 1...20, using: &random)).map { _ in Int.random(in: 1...40, using: &random)
            }
            check(try read(bytes, pieces: pieces), "seed \(seed)")
        }
    }

    @Test("every truncation is refused, and mangled bytes do no harm")
    func truncated() {
        let bytes = Array(MultipartTests.form.utf8)
        let closing = bytes.count - Array("\r\nepilogue --XX\r\n".utf8).count
        for count in 0..<closing {
            #expect(throws: HTTPError.self, "\(count) bytes") { try read(Array(bytes[..<count]), pieces: []) }
        }
        let seed = UInt64.random(in: 0 ... .max)
        var random = Seeded(state: seed)
        for _ in 0..<1000 {
            var mangled = bytes
            for _ in 0..<3 {
                mangled[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if let parts = try? read(mangled, pieces: []) {
                #expect(parts.reduce(0) { $0 + $1.1.utf8.count } <= 3 * bytes.count, "seed \(seed)")
            }
        }
    }

    @Test(
        "what is no form is refused",
        arguments: ["text/plain; boundary=XX", "multipart/form-data", "multipart/form-data; boundary=\"\""])
    func noForm(_ type: String) {
        #expect(throws: HTTPError.self) { _ = try MultipartParser(MediaType(type)) }
    }

    @Test("heads without a name or without an end are refused")
    func heads() {
        for head in [
            "", "Content-Type: a/b\r\n", "Content-Disposition: form-data\r\n", "Content-Disposition: x; name=a\r\n",
        ] {
            let bytes = Array("--XX\r\n\(head)\r\nbody\r\n--XX--".utf8)
            #expect(throws: HTTPError.self) { try read(bytes, pieces: []) }
        }
        let endless = Array("--XX\r\nA: ".utf8) + [UInt8](repeating: 97, count: 10_000)
        #expect(throws: HTTPError.self) { try read(endless, pieces: []) }
    }
}
