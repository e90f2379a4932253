import CCrypto
import Glibc
package import MartletDomain

/// Folders beside the store that the operator allows to be used (`--artifacts-destination`, `--default-artifact-root`).
///
/// What a client names is opened beneath one of them or not at all, and the kernel decides what beneath means
/// (openat2 with RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS): `..`, absolute links and links that lead out are
/// refused at every step of the path, also when someone changes it at the same moment. Relative links that stay
/// beneath the root are followed, since data folders are full of `latest -> run-17`. A kernel without openat2 gets
/// no roots: checking the path by hand would be a race.
package final class Roots: Sendable {
    /// As the operator wrote them, without a slash at the end.
    package let paths: [String]
    let folders: [SharedFolder]

    final class SharedFolder: Sendable {
        let descriptor: Descriptor
        init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
    }

    /// Opens every root at once, so that a wrong name is known at the start and not at the first request.
    /// With `makingMissing`, one that is not there is made, with its parents.
    package init(_ paths: [String], makingMissing: Bool = false) throws(Refusal) {
        var kept: [(path: String, folder: SharedFolder)] = []
        for path in paths {
            guard path.hasPrefix("/"), !path.utf8.contains(0) else {
                throw Refusal(
                    .invalid, "The root “\(path)” is not an absolute path.",
                    remedy: "Name folders that may be read from / on, as in --allow-root /data/results.")
            }
            if makingMissing { _ = try openFolder(path) }
            let raw = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard raw >= 0 else { throw FileTrouble(verb: .read, path: path).refusal() }
            let folder = SharedFolder(Descriptor(owning: raw))
            let probe = martlet_open_beneath(raw, ".", UInt64(O_RDONLY | O_DIRECTORY | O_CLOEXEC))
            guard probe >= 0 else {
                throw Refusal(
                    .unsupported, "This kernel cannot keep a path beneath “\(path)” (openat2).",
                    remedy: "Run on Linux 5.6 or newer, allow openat2 in the container, or start without roots.",
                    cause: String(cString: strerror(errno)))
            }
            close(probe)
            kept.append((withoutSlash(path), folder))
        }
        self.paths = kept.map(\.path)
        folders = kept.map(\.folder)
    }

    /// Opens a file by its path beneath a root, the root given by its place in `paths`.
    package func open(_ path: String, beneath root: Int) throws(Refusal) -> LocalFile {
        guard folders.indices.contains(root) else {
            throw Refusal(
                .notFound, "There is no root number \(root).", remedy: "List the roots this server was given.")
        }
        let shown = paths[root] + "/" + path
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw Refusal(.invalid, "An empty path, or one with a NUL, names no file.", remedy: "Name a file.")
        }
        let flags = UInt64(O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        var raw: Int32 = -1
        // EAGAIN: something above was renamed while `..` was resolved, and the kernel cannot be sure.
        for _ in 0..<16 {
            raw = uninterrupted { martlet_open_beneath(folders[root].descriptor.raw, path, flags) }
            if raw >= 0 || errno != EAGAIN { break }
        }
        guard raw >= 0 else { throw refusal(errno, shown, root) }
        let file = Descriptor(owning: raw)
        guard let facts = FileFacts(of: file), facts.isFile else {
            throw Refusal(
                .invalid, "“\(shown)” is not a file.", remedy: "Name a file; folders and devices are not read.")
        }
        return LocalFile(file, facts: facts, path: shown)
    }

    /// Opens what a recorded location names, a path from `/` on or a `file:` URL, when it lies beneath a root.
    package func open(location: String) throws(Refusal) -> LocalFile {
        guard let path = localPath(location), let place = self.place(of: path) else {
            throw Refusal(
                .forbidden, "“\(location)” lies in no folder that this server may read.",
                remedy: "The operator can allow its folder with --allow-root; or upload the file.")
        }
        return try open(place.rest, beneath: place.root)
    }

    /// The root that a recorded location lies in by its words alone, and the path beneath it, empty for the root itself.
    /// Whether that path stays beneath is for the kernel to say when it is opened.
    package func place(ofLocation location: String) -> (root: Int, rest: String)? {
        guard let path = localPath(location).map(withoutSlash) else { return nil }
        if let root = paths.firstIndex(of: path) { return (root, "") }
        return place(of: path)
    }

    /// The path that a `file:` URL of this machine or a bare location names; nil for anything else.
    package static func path(ofLocation location: String) -> String? { localPath(location) }

    /// The root that a path lies in by its words alone, the innermost where roots lie in one another.
    private func place(of path: String) -> (root: Int, rest: String)? {
        let found = paths.indices.filter { path.hasPrefix(paths[$0] + "/") }
            .max { paths[$0].utf8.count < paths[$1].utf8.count }
        return found.map { ($0, String(path.dropFirst(paths[$0].count + 1).drop { $0 == "/" })) }
    }

    func refusal(_ error: Int32, _ shown: String, _ root: Int) -> Refusal {
        switch error {
        case EXDEV:
            Refusal(
                .forbidden, "“\(shown)” leads out of “\(paths[root])”.",
                remedy: "Only what lies beneath that folder is read; a link must be relative and stay beneath it.")
        case ELOOP:
            Refusal(
                .forbidden, "“\(shown)” goes through a link of the system, or through links without end.",
                remedy: "Name the file itself.")
        case ENOENT, ENOTDIR, ENAMETOOLONG:
            Refusal(.notFound, "There is no “\(shown)”.", remedy: "Check the path; names are case-sensitive.")
        default: FileTrouble(verb: .read, path: shown).refusal(error)
        }
    }
}

private func withoutSlash(_ path: String) -> String {
    var path = Substring(path)
    while path.hasSuffix("/") { path.removeLast() }
    return String(path)
}

/// The path of a `file:` URL of this machine, or the path itself; nil for anything else.
private func localPath(_ location: String) -> String? {
    if location.hasPrefix("/") { return location }
    guard location.lowercased().hasPrefix("file:") else { return nil }
    var rest = location.dropFirst(5)
    if rest.hasPrefix("//") {
        rest = rest.dropFirst(2)
        if rest.hasPrefix("localhost/") { rest = rest.dropFirst(9) }
    }
    guard rest.hasPrefix("/") else { return nil }
    return percentDecoded(rest)
}

private func percentDecoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
        if byte != UInt8(ascii: "%") {
            bytes.append(byte)
            continue
        }
        guard let high = rest.popFirst().flatMap(hexValue), let low = rest.popFirst().flatMap(hexValue) else {
            return nil
        }
        bytes.append(high << 4 | low)
    }
    return String(validating: bytes, as: UTF8.self)
}

private func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
