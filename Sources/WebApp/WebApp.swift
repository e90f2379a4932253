// WebApp: the built pages and how they are handed out. Every address of the app gets the same page, whose script decides
// what to show; everything else that the page loads has its content's digest in its name. There is no data here: the app
// asks /api/v1 like everybody else.
import CWebApp
package import MartletHTTPMessages

/// The web app as files in memory, each in up to three codings.
package struct WebApp: Sendable {
    private let files: [String: PackedFile]
    /// Nil where the app was not built into this binary.
    private let page: (head: [UInt8], tail: [UInt8], tag: String)?

    /// What this binary carries.
    package static let builtIn: WebApp = {
        let bytes = UnsafeRawBufferPointer(start: martlet_webapp_bytes(), count: martlet_webapp_length())
        return WebApp(pack: bytes)
    }()

    package init(pack: UnsafeRawBufferPointer) {
        files = PackedFile.all(in: pack)
        page = files["index.html"].flatMap { file in
            WebApp.split(file.plain).map { ($0.head, $0.tail, file.tag) }
        }
    }

    package var isEmpty: Bool { page == nil }

    /// The first parts of addresses that belong to the app. Others are left to the answer that there is nothing.
    package static let places: Set<String> = [
        "projects", "experiments", "runs", "compare", "visualizations", "models", "login", "settings", "search",
    ]

    package func plan(_ request: Request) -> Plan? {
        guard request.method == .get || request.method == .head, page != nil else { return nil }
        let segments = request.segments
        if segments.first == "assets" {
            guard let file = files[segments.joined(separator: "/")] else { return nil }
            return .respond(answer(file, request))
        }
        if segments == ["favicon.svg"] || segments == ["favicon.ico"], let icon = files["favicon.svg"] {
            return .respond(answer(icon, request))
        }
        guard segments.isEmpty || WebApp.places.contains(segments[0]) else { return nil }
        return .respond(pageAnswer(request))
    }

    // MARK: Answers

    private func answer(_ file: PackedFile, _ request: Request) -> Response {
        var headers: Headers = [
            "Content-Type": file.type, "ETag": EntityTag(file.tag).header, "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": file.isImmutable ? "public, max-age=31536000, immutable" : "no-cache",
        ]
        let held = request.headers.all("if-none-match")
        if !held.isEmpty, EntityTag(file.tag).isNamed(byIfNoneMatch: held) {
            return Response(.notModified, headers: headers)
        }
        let offers = [("br", file.brotli), ("gzip", file.gzip)].filter { !$0.1.isEmpty }
        let wanted = AcceptEncoding(request.headers.all("accept-encoding")).preferred(among: offers.map(\.0))
        let bytes = offers.first { $0.0 == wanted }?.1 ?? file.plain
        if let wanted { headers["Content-Encoding"] = wanted } else { headers["Cache-Control"]? += ", no-transform" }
        return Response(.ok, headers: headers, body: .bytes(bytes))
    }

    /// The page, its links made relative to where the app's root lies from here: so it works beneath any prefix that a
    /// proxy strips, without knowing it.
    private func pageAnswer(_ request: Request) -> Response {
        guard let page else { return Response(.notFound) }
        let depth = max(0, request.target.path.utf8.count { $0 == UInt8(ascii: "/") } - 1)
        let root = depth == 0 ? "./" : String(repeating: "../", count: depth)
        let tag = EntityTag("\(page.tag)-\(depth)", isWeak: true)
        let headers: Headers = [
            "Content-Type": ContentType.html, "ETag": tag.header, "Cache-Control": "no-cache",
            "Content-Security-Policy": WebApp.policy, "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer", "Cross-Origin-Opener-Policy": "same-origin",
        ]
        let held = request.headers.all("if-none-match")
        if !held.isEmpty, tag.isNamed(byIfNoneMatch: held) { return Response(.notModified, headers: headers) }
        return Response(
            .ok, headers: headers, body: .bytes(page.head + Array("<base href=\"\(root)\">".utf8) + page.tail))
    }

    /// Scripts and styles come from here alone and none stands in the page; what users stored is shown in frames that
    /// may not reach the app.
    package static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data: blob:; "
        + "media-src 'self' blob:; connect-src 'self'; frame-src 'self' blob:; base-uri 'self'; form-action 'none'; "
        + "frame-ancestors 'self'"

    /// The page around the place where its base belongs.
    private static func split(_ bytes: [UInt8]) -> (head: [UInt8], tail: [UInt8])? {
        guard let mark = bytes.firstRange(of: Array("<!--base-->".utf8)) else { return nil }
        return (Array(bytes[..<mark.lowerBound]), Array(bytes[mark.upperBound...]))
    }
}
