/// How the bytes of an artifact leave: their type by the file's name, and headers that keep them from running.
///
/// Anyone who may log a run may upload an HTML page. It comes from our own address, so a browser would give it the
/// viewer's cookies; hence nothing is shown in place but what cannot act, and the rest is a download in a sandbox.
package struct ContentRules: Equatable, Sendable {
    /// Of the bytes, as `Content-Type` says it; never taken from the uploader.
    package let type: String
    package let name: String

    /// Of a path or a file's name.
    package init(name path: String) {
        let name = safeName(path)
        let dot = name.lastIndex(of: ".")
        let ending = dot.map { name[name.index(after: $0)...].lowercased() } ?? ""
        self.name = name
        type = types[ending] ?? "application/octet-stream"
    }

    /// Whether a browser can only show it.
    package var isInert: Bool {
        ["image/png", "image/jpeg", "image/webp", "text/plain; charset=utf-8"].contains(type)
    }

    /// What a page of a user may do in a frame of ours: run and style itself. It has no origin, so it has no cookies and
    /// reaches neither the app nor this server, and it may fetch from nowhere.
    package static let framePolicy =
        "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
        + "img-src data: blob:; media-src data: blob:; font-src data:; frame-ancestors 'self'"

    /// The headers of an answer with these bytes. With `download`, also an inert file is saved instead of shown; with
    /// `framed`, an HTML page may be shown in a frame of this server's pages.
    package func headers(download: Bool = false, framed: Bool = false) -> [(name: String, value: String)] {
        if framed, !download, type.hasPrefix("text/html") {
            return [
                ("Content-Type", type), ("X-Content-Type-Options", "nosniff"),
                ("Content-Security-Policy", ContentRules.framePolicy), ("Content-Disposition", disposition("inline")),
            ]
        }
        return [
            ("Content-Type", type),
            ("X-Content-Type-Options", "nosniff"),
            ("Content-Security-Policy", "sandbox; default-src 'none'"),
            ("Content-Disposition", disposition(isInert && !download ? "inline" : "attachment")),
        ]
    }

    /// RFC 6266: a plain name for everyone, and the true one by RFC 5987 where that differs.
    private func disposition(_ kind: String) -> String {
        var plain = ""
        for scalar in name.unicodeScalars {
            // Some browsers decode percent signs even here.
            let isPlain = scalar.isASCII && scalar != "%" && scalar != "\"" && scalar != "\\"
            plain.unicodeScalars.append(isPlain ? scalar : "_")
        }
        var value = "\(kind); filename=\"\(plain)\""
        if plain != name { value += "; filename*=UTF-8''\(extended(name))" }
        return value
    }
}

/// The last part of a path as a name that can be shown and saved anywhere: without what a screen or a file system
/// takes for a command, at most 200 bytes.
private func safeName(_ path: String) -> String {
    var name = String.UnicodeScalarView()
    for scalar in path.unicodeScalars {
        if scalar == "/" || scalar == "\\" {
            name.removeAll()
            continue
        }
        switch scalar.properties.generalCategory {
        // Format characters are those that turn the direction of writing, so that `gpj.exe` reads as `exe.jpg`.
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: continue
        default: name.append(":*?\"<>|".unicodeScalars.contains(scalar) ? "_" : scalar)
        }
    }
    let isEdge = { (scalar: Unicode.Scalar) in scalar == "." || scalar.properties.isWhitespace }
    while let first = name.first, isEdge(first) { name.removeFirst() }
    while let last = name.last, isEdge(last) { name.removeLast() }
    return name.isEmpty ? "artifact" : shortened(String(name))
}

/// Cuts a long name before its ending, which says what the file is.
private func shortened(_ name: String) -> String {
    guard name.utf8.count > 200 else { return name }
    let dot = name.lastIndex(of: ".")
    let ending = dot.map { String(name[$0...]) }.flatMap { $0.utf8.count <= 20 ? $0 : nil } ?? ""
    var kept = String.UnicodeScalarView()
    var bytes = ending.utf8.count
    for scalar in name.unicodeScalars {
        bytes += UTF8.width(scalar)
        if bytes > 200 { break }
        kept.append(scalar)
    }
    return String(kept) + ending
}

private func extended(_ name: String) -> String {
    var out = ""
    for byte in name.utf8 {
        let scalar = Unicode.Scalar(byte)
        if scalar.isASCII,
            scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
                || "!#$&+-.^_`|~".unicodeScalars.contains(scalar)
        {
            out.unicodeScalars.append(scalar)
        } else {
            out += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }
    }
    return out
}

/// What training code saves; anything else is bytes.
private let types: [String: String] = [
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif",
    "bmp": "image/bmp", "tif": "image/tiff", "tiff": "image/tiff", "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8", "log": "text/plain; charset=utf-8", "out": "text/plain; charset=utf-8",
    "err": "text/plain; charset=utf-8", "md": "text/markdown; charset=utf-8", "csv": "text/csv; charset=utf-8",
    "tsv": "text/tab-separated-values; charset=utf-8", "html": "text/html; charset=utf-8",
    "htm": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8",
    "py": "text/x-python; charset=utf-8", "xml": "application/xml", "json": "application/json",
    "jsonl": "application/jsonl", "ipynb": "application/x-ipynb+json", "yaml": "application/yaml",
    "yml": "application/yaml", "toml": "application/toml", "pdf": "application/pdf",
    "parquet": "application/vnd.apache.parquet", "arrow": "application/vnd.apache.arrow.file",
    "wav": "audio/wav", "mp3": "audio/mpeg", "ogg": "audio/ogg", "flac": "audio/flac", "mp4": "video/mp4",
    "webm": "video/webm", "zip": "application/zip", "gz": "application/gzip", "tar": "application/x-tar",
    "zst": "application/zstd",
]
