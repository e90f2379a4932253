package import Glibc

/// The few verbs on files that clients need, each with an error that names the path.
package enum Disk {
    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    package static func isFolder(_ path: String) -> Bool {
        var facts = stat()
        return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
    }

    /// Nil when there is no such file.
    package static func size(_ path: String) -> Int64? {
        var facts = stat()
        return stat(path, &facts) == 0 ? Int64(facts.st_size) : nil
    }

    /// Names in a folder without `.` and `..`, sorted; nil when it cannot be read.
    package static func names(in path: String) -> [String]? {
        guard let folder = opendir(path) else { return nil }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// The regular files beneath a folder as paths relative to it, sorted; links are not followed.
    package static func files(beneath path: String) -> [String] {
        var found: [String] = []
        var waiting = [""]
        while let prefix = waiting.popLast() {
            for name in names(in: prefix.isEmpty ? path : path + "/" + prefix) ?? [] {
                let relative = prefix.isEmpty ? name : prefix + "/" + name
                var facts = stat()
                guard lstat(path + "/" + relative, &facts) == 0 else { continue }
                switch facts.st_mode & S_IFMT {
                case S_IFDIR: waiting.append(relative)
                case S_IFREG: found.append(relative)
                default: break
                }
            }
        }
        return found.sorted()
    }

    package static func read(_ path: String, most: Int = 256 << 20) throws(ClientFailure) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure("read", path) }
        defer { close(file) }
        var bytes: [UInt8] = []
        try forEachPiece(of: file, path) { piece in
            bytes += piece
            return bytes.count <= most
        }
        guard bytes.count <= most else {
            throw ClientFailure(.refused, "The file \(path) has more than \(most) bytes.")
        }
        return bytes
    }

    package static func text(_ path: String) -> String? {
        guard exists(path), let bytes = try? read(path, most: 1 << 20) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Pieces of at most 1 MiB until the file ends or the closure has enough.
    package static func forEachPiece(
        of file: Int32, _ path: String, _ body: (UnsafeRawBufferPointer) -> Bool
    ) throws(ClientFailure) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        while true {
            let count = Glibc.read(file, buffer.baseAddress, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", path) }
            guard count > 0, body(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else { return }
        }
    }

    /// The same of a path, for a closure that says when and why it ends.
    package static func forEachPiece<Trouble>(
        of path: String, _ body: (UnsafeRawBufferPointer) -> Result<Void, Trouble>
    ) throws(ClientFailure) -> Result<Void, Trouble> {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure("read", path) }
        defer { close(file) }
        var outcome = Result<Void, Trouble>.success(())
        try forEachPiece(of: file, path) { piece in
            outcome = body(piece)
            if case .success = outcome { return true }
            return false
        }
        return outcome
    }

    /// Makes or replaces a file in one step: whoever reads it sees the old one or the new one.
    package static func replace(_ path: String, with bytes: [UInt8], mode: mode_t = 0o666) throws(ClientFailure) {
        let draft = "\(path).\(getpid()).part"
        unlink(draft)
        let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard file >= 0 else { throw failure("write", path) }
        do throws(ClientFailure) {
            defer { close(file) }
            try bytes.withUnsafeBytes { buffer in
                Result { () throws(ClientFailure) in try write(buffer, to: file, path) }
            }.get()
            guard fsync(file) == 0 else { throw failure("write", path) }
        } catch {
            unlink(draft)
            throw error
        }
        guard rename(draft, path) == 0 else { throw failure("write", path) }
    }

    /// Removes a file; one that is not there is as good.
    package static func remove(_ path: String) { unlink(path) }

    package static func write(_ bytes: UnsafeRawBufferPointer, to file: Int32, _ path: String) throws(ClientFailure) {
        var done = 0
        while done < bytes.count {
            let count = Glibc.write(file, bytes.baseAddress! + done, bytes.count - done)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("write", path) }
            done += count
        }
    }

    package static func makeFolder(_ path: String, mode: mode_t = 0o777) throws(ClientFailure) {
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += made.isEmpty || made.hasSuffix("/") ? String(part) : "/" + part
            if mkdir(made, mode) != 0, !isFolder(made) { throw failure("make the folder", made) }
        }
    }

    /// The path without `.`, `..` and doubled slashes, from the root; links stay as they are.
    package static func absolute(_ path: String, from folder: String) -> String {
        var parts: [Substring] = []
        for part in (path.hasPrefix("/") ? path : folder + "/" + path).split(separator: "/") where part != "." {
            if part == ".." { parts = parts.dropLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// The folder above; nil for the root.
    package static func parent(of path: String) -> String? {
        guard path != "/", let slash = path.lastIndex(of: "/") else { return nil }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    package static func failure(_ verb: String, _ path: String) -> ClientFailure {
        let code = errno
        let reason = String(cString: strerror(code))
        return ClientFailure(
            code == ENOENT || code == ENOTDIR ? .notFound : .refused, "Cannot \(verb) \(path): \(reason).")
    }
}
