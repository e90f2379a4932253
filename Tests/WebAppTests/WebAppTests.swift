import MartletHTTPMessages
import Testing

@testable import MartletWebApp

@Suite("The web app is handed out from memory") struct WebAppTests {
    let app: WebApp

    init() {
        let page = "<head><!--base--></head>"
        let files = [
            ("index.html", "text/html; charset=utf-8", "p1", "check", page, "", ""),
            ("assets/main-AB.js", "text/javascript; charset=utf-8", "s1", "immutable", "plain", "zipped", "br"),
        ]
        var pack = "martlet-web 1\n"
        for file in files {
            pack += "\(file.0)\t\(file.1)\t\(file.2)\t\(file.3)\t\(file.4.utf8.count)\t\(file.5.utf8.count)\t"
            pack += "\(file.6.utf8.count)\n"
        }
        pack += "\n" + files.map { $0.4 + $0.5 + $0.6 }.joined()
        app = Array(pack.utf8).withUnsafeBytes { WebApp(pack: $0) }
    }

    func ask(_ path: String, _ headers: Headers = Headers(), method: Method = .get) throws -> Response? {
        let request = try Request(method, path, headers: headers)
        guard case .respond(let response)? = app.plan(request) else { return nil }
        return response
    }

    func text(_ response: Response?) -> String? {
        guard case .bytes(let bytes)? = response?.body else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(
        "every address of the app gets the page, whose links lead to the app's root from there",
        arguments: [
            ("/", "./"), ("/models", "./"), ("/experiments/7", "../"), ("/experiments/7/table?filter=x", "../../"),
            ("/runs/ab/", "../../"),
        ])
    func page(_ address: String, _ root: String) throws {
        #expect(text(try ask(address)) == "<head><base href=\"\(root)\"></head>")
    }

    @Test("addresses of others stay theirs", arguments: ["/api/v1/runs", "/metrics", "/docs", "/assets/none.js", "/x"])
    func others(_ address: String) throws {
        #expect(try ask(address) == nil)
        #expect(try ask("/", method: .post) == nil)
    }

    @Test("a file comes in the coding that the client takes, and may be kept for ever")
    func codings() throws {
        let packed = try ask("/assets/main-AB.js", ["Accept-Encoding": "gzip, br"])
        #expect(text(packed) == "br")
        #expect(packed?.headers["content-encoding"] == "br")
        #expect(packed?.headers["cache-control"]?.contains("immutable") == true)
        #expect(text(try ask("/assets/main-AB.js", ["Accept-Encoding": "gzip"])) == "zipped")
        let plain = try ask("/assets/main-AB.js")
        #expect(text(plain) == "plain")
        #expect(plain?.headers.contains("content-encoding") == false)
    }

    @Test("whoever holds the page is told that it has not changed")
    func unchanged() throws {
        let first = try ask("/models")
        let tag = try #require(first?.headers["etag"])
        #expect(first?.headers["cache-control"] == "no-cache")
        #expect(try ask("/models", ["If-None-Match": tag])?.status == .notModified)
        // The page of another depth has other links.
        #expect(try ask("/experiments/7", ["If-None-Match": tag])?.status == .ok)
    }

    @Test("no script and no style in the page may run")
    func policy() throws {
        let policy = try #require(try ask("/")?.headers["content-security-policy"])
        #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe"))
    }

    @Test(
        "a pack that is cut or is none makes no app and stops nothing",
        arguments: ["", "martlet-web 1\nindex.html\tt\tt\tcheck\t99\t0\t0\n\nshort", "martlet-web 2\n\n", "\n\n"])
    func broken(_ pack: String) throws {
        let app = Array(pack.utf8).withUnsafeBytes { WebApp(pack: $0) }
        #expect(app.isEmpty)
        #expect(app.plan(try Request(.get, "/")) == nil)
    }
}
