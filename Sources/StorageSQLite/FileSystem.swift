import CSQLite
import Glibc
import MartletDomain
import MartletStorage

/// What kind of file system a folder is on, as far as a database file cares.
///
/// SQLite's log needs shared memory and locks that every process sees; over a network neither can be trusted.
package enum FileSystem: Equatable, Sendable {
    case local
    case network(String)

    /// By the magic number that `statfs` gives.
    package static func of(folder: String) -> FileSystem {
        networks[martlet_file_system_magic(folder)].map { .network($0) } ?? .local
    }

    /// FUSE is counted among them: sshfs and the cloud's buckets come that way, and nothing tells them from the rest.
    private static let networks: [UInt32: String] = [
        0x6969: "NFS", 0xFF53_4D42: "CIFS", 0xFE53_4D42: "SMB", 0x517B: "SMB", 0x6573_5546: "FUSE",
        0x0BD0_0BD0: "Lustre", 0x00C3_6400: "Ceph", 0x5346_414F: "AFS", 0x0102_1997: "9P", 0x4750_4653: "GPFS",
        0x1983_0326: "BeeGFS", 0x7461_636F: "OCFS2", 0x0116_1970: "GFS2", 0x7375_7245: "Coda",
        0xAAD7_AAEA: "PanFS", 0x786F_4256: "VirtualBox's shared folder",
    ]
}

/// The few verbs on files that a store needs, each with an error in words.
enum Files {
    static func makeFolder(_ path: String) throws(StorageError) {
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += made.isEmpty || made.hasSuffix("/") ? String(part) : "/" + part
            if mkdir(made, 0o777) != 0 && errno != EEXIST {
                let code = errno
                // On a read-only file system `mkdir` of a folder that is there says so instead of EEXIST.
                if !exists(made) { throw .file(code, .makeFolder, made) }
            }
        }
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
    static func isWritable(_ path: String) -> Bool { access(path, W_OK) == 0 }

    /// Nil when there is no such file.
    static func size(_ path: String) -> Int64? {
        var facts = stat()
        return stat(path, &facts) == 0 ? Int64(facts.st_size) : nil
    }

    /// Up to so many bytes from the start; nil when there is no such file.
    static func read(_ path: String, most: Int) throws(StorageError) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        if file < 0 && errno == ENOENT { return nil }
        guard file >= 0 else { throw .file(errno, .read, path) }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: most)
        let count = bytes.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
        guard count >= 0 else { throw .file(errno, .read, path) }
        return Array(bytes[..<count])
    }

    /// Writes a small file unless it is there: the first of two that try at once wins. False when it was there.
    static func writeNew(_ path: String, _ text: String) throws(StorageError) -> Bool {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        if file < 0 && errno == EEXIST { return false }
        guard file >= 0 else { throw .file(errno, .write, path) }
        defer { close(file) }
        let bytes = Array(text.utf8)
        let count = bytes.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        guard count == bytes.count, fsync(file) == 0 else {
            let code = errno
            unlink(path)
            throw .file(code, .write, path)
        }
        return true
    }

    static func copy(_ from: String, to: String) throws(StorageError) {
        let source = open(from, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { throw .file(errno, .read, from) }
        defer { close(source) }
        let target = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard target >= 0 else { throw .file(errno, .write, to) }
        defer { close(target) }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = buffer.withUnsafeMutableBytes { Glibc.read(source, $0.baseAddress, $0.count) }
            if count == 0 { return }
            guard count > 0 else { throw .file(errno, .read, from) }
            var written = 0
            while written < count {
                let more = buffer.withUnsafeBytes { write(target, $0.baseAddress! + written, count - written) }
                guard more > 0 else { throw .file(errno, .write, to) }
                written += more
            }
        }
    }

    /// Brings a file, or a folder's list of files, to the disk.
    static func sync(_ path: String) throws(StorageError) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .file(errno, .open, path) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw .file(errno, .sync, path) }
    }
}
