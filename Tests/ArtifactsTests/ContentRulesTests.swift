import MartletArtifacts
import Testing

@Suite("Bytes leave harmless") struct ContentRulesTests {
    func header(_ name: String, of file: String, download: Bool = false) -> String? {
        ContentRules(name: file).headers(download: download).first { $0.name == name }?.value
    }

    @Test("a name says the type, in capitals too, and an unknown one is bytes")
    func types() {
        for (name, type) in [
            ("a.png", "image/png"), ("A.JPG", "image/jpeg"), ("x.webp", "image/webp"), ("x.gif", "image/gif"),
            ("x.svg", "image/svg+xml"), ("train.log", "text/plain; charset=utf-8"),
            ("README.md", "text/markdown; charset=utf-8"), ("t.csv", "text/csv; charset=utf-8"),
            ("m.json", "application/json"), ("r.html", "text/html; charset=utf-8"), ("r.pdf", "application/pdf"),
            ("d.parquet", "application/vnd.apache.parquet"), ("s.wav", "audio/wav"), ("s.mp3", "audio/mpeg"),
            ("v.mp4", "video/mp4"), ("n.ipynb", "application/x-ipynb+json"), ("c.yaml", "application/yaml"),
            ("c.yml", "application/yaml"), ("model.pkl", "application/octet-stream"),
            ("png", "application/octet-stream"),
            ("dir.png/model", "application/octet-stream"), ("", "application/octet-stream"),
            ("a.png.", "image/png"), ("a.html\u{0}", "text/html; charset=utf-8"),
        ] {
            #expect(ContentRules(name: name).type == type, "\(name)")
        }
    }

    @Test("only pictures without scripts and plain text are shown in place")
    func inert() {
        for name in ["a.png", "a.jpeg", "a.webp", "a.txt"] {
            #expect(header("Content-Disposition", of: name)?.hasPrefix("inline;") == true, "\(name)")
            #expect(header("Content-Disposition", of: name, download: true)?.hasPrefix("attachment;") == true)
        }
        for name in ["a.html", "a.svg", "a.gif", "a.pdf", "a.md", "a.csv", "a.xml", "a.js", "a.json", "a", "a.mp4"] {
            #expect(header("Content-Disposition", of: name)?.hasPrefix("attachment;") == true, "\(name)")
        }
    }

    @Test("every answer forbids guessing and puts the page in a sandbox", arguments: ["a.png", "a.html", "a"])
    func always(_ name: String) {
        #expect(header("X-Content-Type-Options", of: name) == "nosniff")
        #expect(header("Content-Security-Policy", of: name) == "sandbox; default-src 'none'")
        #expect(header("Content-Type", of: name) != nil)
    }

    @Test("a page for a frame may run, has no origin and reaches nothing; nothing else changes by asking for a frame")
    func framed() {
        let headers = Dictionary(ContentRules(name: "a.html").headers(framed: true)) { first, _ in first }
        let policy = headers["Content-Security-Policy"] ?? ""
        #expect(policy.hasPrefix("sandbox allow-scripts; default-src 'none';"))
        #expect(!policy.contains("allow-same-origin") && !policy.contains("connect-src"))
        #expect(headers["Content-Disposition"]?.hasPrefix("inline;") == true)
        #expect(headers["X-Content-Type-Options"] == "nosniff")
        let saved = Dictionary(ContentRules(name: "a.html").headers(download: true, framed: true)) { first, _ in first }
        #expect(saved["Content-Disposition"]?.hasPrefix("attachment;") == true)
        for name in ["a.svg", "a.js", "a.xml", "a"] {
            let plain = Dictionary(ContentRules(name: name).headers(framed: true)) { first, _ in first }
            #expect(plain["Content-Security-Policy"] == "sandbox; default-src 'none'", "\(name)")
            #expect(plain["Content-Disposition"]?.hasPrefix("attachment;") == true, "\(name)")
        }
    }

    @Test("a name comes through whole where it can, and safe where it cannot")
    func names() {
        for (name, value) in [
            ("model.bin", "attachment; filename=\"model.bin\""),
            ("deep/er/model.bin", "attachment; filename=\"model.bin\""),
            ("..\\..\\x.bin", "attachment; filename=\"x.bin\""),
            ("../..", "attachment; filename=\"artifact\""),
            (".bashrc", "attachment; filename=\"bashrc\""),
            ("größe.bin", "attachment; filename=\"gr__e.bin\"; filename*=UTF-8''gr%C3%B6%C3%9Fe.bin"),
            ("100%.bin", "attachment; filename=\"100_.bin\"; filename*=UTF-8''100%25.bin"),
            ("a\"; filename=evil.exe", "attachment; filename=\"a_; filename=evil.exe\""),
            ("a\r\nSet-Cookie: x=1", "attachment; filename=\"aSet-Cookie_ x=1\""),
            ("gpj\u{202E}gpj.exe", "attachment; filename=\"gpjgpj.exe\""),
            ("a\u{2066}b\u{2028}c\u{7F}d.bin", "attachment; filename=\"abcd.bin\""),
            ("model.bin . .", "attachment; filename=\"model.bin\""),
        ] {
            #expect(header("Content-Disposition", of: name) == value, "\(name.debugDescription)")
        }
    }

    @Test("a long name is cut before its ending")
    func longName() {
        let rules = ContentRules(name: String(repeating: "ö", count: 300) + ".png")
        #expect(rules.name.utf8.count <= 200 && rules.name.utf8.count > 190)
        #expect(rules.name.hasSuffix("ö.png"))
        #expect(rules.type == "image/png")
        #expect(ContentRules(name: "a." + String(repeating: "b", count: 300)).name.utf8.count == 200)
    }

    @Test(
        "whatever the name, a header is one line of printable ASCII with one quoted name",
        arguments: [21, 22] as [UInt64])
    func anyName(seed: UInt64) {
        var chance = Seeded(seed)
        for _ in 0..<2000 {
            var name = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0...40, using: &chance) {
                let top: UInt32 = [0x7F, 0x2FFF, 0x10FFFF].randomElement(using: &chance) ?? 0x7F
                let value = UInt32.random(in: 0...top, using: &chance)
                if let scalar = Unicode.Scalar(value) { name.append(scalar) }
            }
            let value = header("Content-Disposition", of: String(name)) ?? ""
            #expect(value.utf8.allSatisfy { (0x20...0x7E).contains($0) }, "seed \(seed): \(value)")
            #expect(value.filter { $0 == "\"" }.count == 2, "seed \(seed): \(value)")
            #expect(!value.contains("/") && !value.contains("\\"), "seed \(seed): \(value)")
        }
    }
}
