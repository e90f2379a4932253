import Glibc
import MartletDomain

/// An open file or folder, closed when it goes out of scope.
struct Descriptor: ~Copyable, Sendable {
    let raw: Int32

    init(owning raw: Int32) { self.raw = raw }

    deinit { close(raw) }
}

/// The facts of a file that this room asks for.
struct FileFacts {
    var isFile: Bool
    var isFolder: Bool
    var size: Int64
    var bytesOnDisk: Int64
    var modified: Timestamp
    /// Tells hard links of one file apart from two files.
    var identity: Identity
    var links: Int

    struct Identity: Hashable {
        var device: UInt64
        var number: UInt64
    }

    private init(_ facts: stat) {
        isFile = facts.st_mode & S_IFMT == S_IFREG
        isFolder = facts.st_mode & S_IFMT == S_IFDIR
        size = Int64(facts.st_size)
        bytesOnDisk = Int64(facts.st_blocks) * 512
        modified = Timestamp(micros: Int64(facts.st_mtim.tv_sec) * 1_000_000 + Int64(facts.st_mtim.tv_nsec) / 1000)
        identity = Identity(device: UInt64(facts.st_dev), number: UInt64(facts.st_ino))
        links = Int(facts.st_nlink)
    }

    /// Nil when there is nothing of that name, or `errno` says why not; links are not followed.
    init?(of name: String, in folder: borrowing Descriptor) {
        var facts = stat()
        guard fstatat(folder.raw, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
        self.init(facts)
    }

    init?(of file: borrowing Descriptor) {
        var facts = stat()
        guard fstat(file.raw, &facts) == 0 else { return nil }
        self.init(facts)
    }
}

/// Calls again what a signal interrupted.
func uninterrupted<Value: SignedInteger>(_ call: () -> Value) -> Value {
    while true {
        let value = call()
        if value != -1 || errno != EINTR { return value }
    }
}

extension Timestamp {
    var timespec: Glibc.timespec {
        let (seconds, rest) = micros.quotientAndRemainder(dividingBy: 1_000_000)
        return rest < 0
            ? Glibc.timespec(tv_sec: Int(seconds - 1), tv_nsec: Int(rest + 1_000_000) * 1000)
            : Glibc.timespec(tv_sec: Int(seconds), tv_nsec: Int(rest) * 1000)
    }
}

/// The names in a folder, without `.` and `..`, in no order.
func names(in folder: borrowing Descriptor) -> [String]? {
    // Opened anew, because two listings through one descriptor would share its position.
    let own = openat(folder.raw, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard own >= 0 else { return nil }
    guard let stream = fdopendir(own) else {
        close(own)
        return nil
    }
    defer { closedir(stream) }
    var names: [String] = []
    errno = 0
    while let entry = readdir(stream) {
        // The name is read where it lies: an entry is shorter than its declared 256 bytes of name.
        let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 19
        let name = String(cString: UnsafeRawPointer(entry).advanced(by: offset).assumingMemoryBound(to: CChar.self))
        if name != ".", name != ".." { names.append(name) }
        errno = 0
    }
    return errno == 0 ? names : nil
}
