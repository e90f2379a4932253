import MartletArtifacts
import MartletDomain
import MartletHTTPMessages
import MartletJSON

/// The routes as a page for people: made from the same table as the OpenAPI document, in one file that needs no other, so
/// that it reads the same on a machine without a network.
struct DocsPage {
    var version: String

    /// Only what is in the page itself may run, and it may talk to this server alone.
    static let policy: String = {
        let style = "'sha256-\(ContentHash.sha256(of: DocsAssets.style))'"
        let script = "'sha256-\(ContentHash.sha256(of: DocsAssets.script))'"
        return "default-src 'none'; style-src \(style); script-src \(script); connect-src 'self'; base-uri 'none'; "
            + "form-action 'none'; frame-ancestors 'none'"
    }()

    var bytes: [UInt8] {
        var page = Markup()
        page.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
        page.raw("<meta name=\"color-scheme\" content=\"light dark\">\n<title>Martlet API</title>\n")
        page.raw("<style>\(DocsAssets.style)</style>\n</head>\n<body>\n")
        contents(&page)
        page.raw("<main id=\"top\">\n")
        introduction(&page)
        for subject in RouteSubjects.all { section(subject, &page) }
        schemas(&page)
        page.raw("</main>\n<script>\(DocsAssets.script)</script>\n</body>\n</html>\n")
        return Array(page.text.utf8)
    }

    // MARK: Parts

    private func contents(_ page: inout Markup) {
        page.raw("<nav aria-label=\"Contents\">\n<p class=\"brand\"><a href=\"#top\">Martlet</a> <small>")
        page.text("API \(version)")
        page.raw("</small></p>\n<input id=\"filter\" type=\"search\" placeholder=\"Filter routes\" ")
        page.raw("aria-label=\"Filter routes\" autocomplete=\"off\">\n<ul>\n")
        for subject in RouteSubjects.all where !routes(of: subject.name).isEmpty {
            page.raw("<li><a href=\"#\(anchor(subject.name))\">")
            page.text(subject.name)
            page.raw("</a></li>\n")
        }
        page.raw("<li><a href=\"#shapes\">shapes</a></li>\n</ul>\n</nav>\n")
    }

    private func introduction(_ page: inout Markup) {
        page.raw("<header>\n<h1>The API of Martlet</h1>\n<p>")
        page.markdown(OpenAPIDocument.introduction)
        page.raw("</p>\n<p>")
        page.markdown("Errors are `{\"error\":{\"code\",\"message\",\"remedy\",\"request_id\"}}`. ")
        page.raw("The same as an <a href=\"openapi.json\">OpenAPI 3.1 document</a>.</p>\n")
        page.raw("<p class=\"token\"><label for=\"token\">Token for trying things here</label> ")
        page.raw(
            "<input id=\"token\" type=\"password\" autocomplete=\"off\" placeholder=\"mlt_… (kept in this page only)\">"
        )
        page.raw("</p>\n<p id=\"nothing\" hidden>No route fits this filter.</p>\n</header>\n")
    }

    private func section(_ subject: (name: String, description: String), _ page: inout Markup) {
        let routes = routes(of: subject.name)
        guard !routes.isEmpty else { return }
        page.raw("<section id=\"\(anchor(subject.name))\">\n<h2>")
        page.text(subject.name)
        page.raw("</h2>\n<p>")
        page.markdown(subject.description)
        page.raw("</p>\n")
        for route in routes { article(route, &page) }
        page.raw("</section>\n")
    }

    private func article(_ route: Route, _ page: inout Markup) {
        let method = route.method.rawValue
        page.raw("<details class=\"route\" id=\"\(route.operationID)\">\n<summary>")
        page.raw("<b class=\"method \(method.lowercased())\">\(method)</b> <code>")
        page.text(route.template)
        page.raw("</code> <span>")
        page.text(route.summary)
        page.raw("</span></summary>\n<div class=\"body\">\n<p>")
        page.markdown(route.fullDescription)
        page.raw("</p>\n")
        parameters(of: route, &page)
        body(of: route, &page)
        answers(of: route, &page)
        page.raw("<h3>Example</h3>\n<pre class=\"curl\">")
        page.text(CurlExample(route).text)
        page.raw("</pre>\n")
        form(for: route, &page)
        page.raw("</div>\n</details>\n")
    }

    private func parameters(of route: Route, _ page: inout Markup) {
        let named =
            route.pathParts.map {
                ($0.name, "path", $0.isRest ? $0.description + " May contain slashes." : $0.description)
            }
            + route.allParameters.map { ($0.name, $0.place, $0.description) }
        guard !named.isEmpty else { return }
        page.raw("<h3>Parameters</h3>\n<table><tbody>\n")
        for (name, place, description) in named {
            page.raw("<tr><th scope=\"row\"><code>")
            page.text(name)
            page.raw("</code></th><td><small>\(place)</small></td><td>")
            page.markdown(description)
            page.raw("</td></tr>\n")
        }
        page.raw("</tbody></table>\n")
    }

    private func body(of route: Route, _ page: inout Markup) {
        guard !route.doc.body.isEmpty else { return }
        page.raw("<h3>Body</h3>\n")
        for (type, schema) in route.doc.body {
            page.raw("<p><small>")
            page.text(type + (route.doc.isBodyRequired ? "" : ", may be left out"))
            page.raw("</small> ")
            link(to: schema, &page)
            page.raw("</p>\n")
        }
    }

    private func answers(of route: Route, _ page: inout Markup) {
        page.raw("<h3>Answers</h3>\n<table><tbody>\n")
        for answer in route.doc.answers {
            page.raw("<tr><th scope=\"row\"><code>\(answer.status)</code></th><td>")
            page.markdown(answer.description)
            page.raw("</td><td>")
            if let schema = answer.schema { link(to: schema, &page) }
            page.raw("</td></tr>\n")
        }
        let failures = route.doc.failures.map { status in
            (status, FailureTexts.all.first { $0.status == status }?.description ?? "")
        }
        for (status, description) in failures {
            page.raw("<tr class=\"failure\"><th scope=\"row\"><code>\(status)</code></th><td>")
            page.markdown(description)
            page.raw("</td><td></td></tr>\n")
        }
        page.raw("</tbody></table>\n")
    }

    /// A form that sends the request from here. Uploads and sockets have none.
    private func form(for route: Route, _ page: inout Markup) {
        let isJSON = route.doc.body.isEmpty || route.doc.body.contains { $0.type == "application/json" }
        guard isJSON, !route.handler.isSocket else { return }
        page.raw("<form class=\"try\" data-method=\"\(route.method.rawValue)\" data-path=\"")
        page.text(route.template)
        page.raw("\">\n<h3>Try it</h3>\n")
        for part in route.pathParts {
            field(part.name, "path", part.isRest ? "data-rest " : "", &page)
        }
        for parameter in route.allParameters where parameter.place == "query" {
            field(parameter.name, "query", "", &page)
        }
        if let schema = route.doc.body.first(where: { $0.type == "application/json" })?.schema {
            page.raw("<label>body <textarea name=\"body\" rows=\"6\" spellcheck=\"false\">")
            if let example = Schemas.named(schema)?.example { page.text(prettyJSON(example)) }
            page.raw("</textarea></label>\n")
        }
        page.raw("<button type=\"submit\">Send</button>\n<output></output>\n</form>\n")
    }

    private func field(_ name: String, _ place: String, _ more: String, _ page: inout Markup) {
        page.raw("<label>")
        page.text(name)
        page.raw(" <input data-place=\"\(place)\" \(more)name=\"")
        page.text(name)
        page.raw("\" autocomplete=\"off\" spellcheck=\"false\"></label>\n")
    }

    // MARK: Shapes

    private func schemas(_ page: inout Markup) {
        page.raw("<section id=\"shapes\">\n<h2>shapes</h2>\n<p>Bodies and answers, by name.</p>\n")
        for (name, schema) in Schemas.all {
            page.raw("<details class=\"shape\" id=\"shape-")
            page.text(name)
            page.raw("\">\n<summary><code>")
            page.text(name)
            page.raw("</code> <span>")
            page.markdown(schema["description"]?.string ?? "")
            page.raw("</span></summary>\n<div class=\"body\">\n")
            fields(of: schema, &page)
            if let example = schema.example {
                page.raw("<pre>")
                page.text(prettyJSON(example))
                page.raw("</pre>\n")
            }
            page.raw("</div>\n</details>\n")
        }
        page.raw("</section>\n")
    }

    private func fields(of schema: JSONValue, _ page: inout Markup) {
        guard let properties = schema["properties"]?.object, !properties.isEmpty else {
            page.raw("<p>")
            kind(of: schema, &page)
            page.raw("</p>\n")
            return
        }
        let required = Set((schema["required"]?.array ?? []).compactMap(\.string))
        page.raw("<table><tbody>\n")
        for member in properties.members {
            page.raw("<tr><th scope=\"row\"><code>")
            page.text(member.key)
            page.raw("</code>\(required.contains(member.key) ? " <small>always</small>" : "")</th><td>")
            kind(of: member.value, &page)
            page.raw("</td><td>")
            page.markdown(member.value["description"]?.string ?? "")
            page.raw("</td></tr>\n")
        }
        page.raw("</tbody></table>\n")
    }

    /// What kind of value a schema allows, in words.
    private func kind(of schema: JSONValue, _ page: inout Markup) {
        if let reference = schema["$ref"]?.string {
            return link(to: String(reference.split(separator: "/").last ?? ""), &page)
        }
        if let choices = schema["oneOf"]?.array {
            for (index, choice) in choices.enumerated() {
                if index > 0 { page.raw(" or ") }
                kind(of: choice, &page)
            }
            return
        }
        if let words = schema["enum"]?.array {
            return page.markdown(words.compactMap(\.string).map { "`\($0)`" }.joined(separator: ", "))
        }
        let types = schema["type"]?.string.map { [$0] } ?? (schema["type"]?.array ?? []).compactMap(\.string)
        if types.contains("array"), let items = schema["items"] {
            page.raw("list of ")
            return kind(of: items, &page)
        }
        if types.contains("object"), let values = schema["additionalProperties"] {
            page.raw("map of ")
            return kind(of: values, &page)
        }
        if types.contains("object"), let properties = schema["properties"]?.object {
            return page.markdown("{ " + properties.members.map { "`\($0.key)`" }.joined(separator: ", ") + " }")
        }
        let isTime = schema["format"]?.string == "date-time"
        page.text(
            types.isEmpty
                ? "anything"
                : types.map { $0 == "string" ? (isTime ? "time" : "text") : $0 }
                    .joined(separator: " or "))
    }

    private func link(to schema: String?, _ page: inout Markup) {
        guard let schema, !schema.isEmpty else { return page.raw("bytes") }
        page.raw("<a class=\"shape\" href=\"#shape-")
        page.text(schema)
        page.raw("\">")
        page.text(schema)
        page.raw("</a>")
    }

    private func routes(of subject: String) -> [Route] { NativeAPI.all.filter { $0.doc.tag == subject } }

    private func anchor(_ subject: String) -> String { subject.replacing(" ", with: "-") }
}

extension Handler {
    var isSocket: Bool { if case .socket = self { true } else { false } }
}

/// How a route is called from a shell.
struct CurlExample {
    let text: String

    init(_ route: Route) {
        var path = route.template
        for part in route.pathParts {
            let sample = part.isRest ? part.sample : PercentCoding.encode(part.sample)
            path = path.replacing("{\(part.name)}", with: sample)
        }
        var lines = ["curl" + (route.method == .get ? "" : " -X \(route.method)") + " \"$MARTLET\(path)\""]
        if route.access != .nothing { lines.append("-H \"Authorization: Bearer $MARTLET_TOKEN\"") }
        if let (type, schema) = route.doc.body.first {
            lines.append("-H 'Content-Type: \(type)'")
            if type == "application/json" {
                let example = Schemas.named(schema)?.example ?? [:]
                lines.append("-d '\(CurlExample.json(example).replacing("'", with: "'\\''"))'")
            } else {
                lines.append("--data-binary @FILE")
            }
        }
        text = lines.joined(separator: " \\\n  ")
    }

    /// On one line where it fits.
    private static func json(_ value: JSONValue) -> String {
        var writer = JSONWriter()
        writer.value(value)
        return writer.text.utf8.count <= 80 ? writer.text : prettyJSON(value)
    }
}

/// Text on its way into a page: everything is escaped but what is said to be markup.
private struct Markup {
    private(set) var text = ""

    mutating func raw(_ markup: String) { text += markup }

    mutating func text(_ plain: String) {
        for character in plain.unicodeScalars {
            switch character {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            case "'": text += "&#39;"
            default: text.unicodeScalars.append(character)
            }
        }
    }

    /// The one mark that descriptions use: `code`.
    mutating func markdown(_ source: String) {
        for (index, piece) in source.split(separator: "`", omittingEmptySubsequences: false).enumerated() {
            if index % 2 == 1 { raw("<code>") }
            text(String(piece))
            if index % 2 == 1 { raw("</code>") }
        }
    }
}

private func prettyJSON(_ value: JSONValue) -> String {
    var writer = JSONWriter(pretty: true)
    writer.value(value)
    return writer.text
}

/// The hash by which a content security policy names a script or a style.
enum ContentHash {
    static func sha256(of text: String) -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        let digits = SHA256.digest(of: text).text.utf8.map { $0 < 58 ? $0 - 48 : $0 - 87 }
        var bits = digits.flatMap { digit in (0..<4).map { digit >> (3 - $0) & 1 } }
        while bits.count % 6 != 0 { bits.append(0) }
        var out: [UInt8] = []
        for start in stride(from: 0, to: bits.count, by: 6) {
            out.append(letters[Int(bits[start..<start + 6].reduce(0) { $0 << 1 | $1 })])
        }
        while out.count % 4 != 0 { out.append(UInt8(ascii: "=")) }
        return String(decoding: out, as: UTF8.self)
    }
}
