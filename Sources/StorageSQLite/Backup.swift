import Glibc
import MartletDomain
package import MartletStorage

extension SQLiteStore {
    /// Writes a copy of the database as it is now, beside writers who go on, and proves that it can be read.
    package func backup(to path: String) throws(StorageError) {
        let connection = try Connection(path: database, mode: isReadOnly ? place.readerMode : .writer)
        defer { connection.close() }
        try connection.backup(to: path)
    }
}

extension Connection {
    /// Under another name until it is whole, on the disk and verified; a file of that name is not overwritten.
    func backup(to path: String) throws(StorageError) {
        guard !Files.exists(path) else {
            throw StorageError(
                .conflict, "There is a file \(path) already.", remedy: "Give the backup another name, or move it away.")
        }
        let draft = path + ".part"
        unlink(draft)
        do throws(StorageError) {
            // A read transaction for its whole length: whoever writes meanwhile is not in it and does not wait for it.
            try run("VACUUM INTO ?", draft)
            try verify(draft)
            try Files.sync(draft)
            guard rename(draft, path) == 0 else { throw StorageError.file(errno, .rename, draft) }
            let folder = path.contains("/") ? String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) : "."
            try Files.sync(folder.isEmpty ? "/" : folder)
        } catch {
            unlink(draft)
            throw error
        }
    }

    private func verify(_ copy: String) throws(StorageError) {
        let connection = try Connection(path: copy, mode: .immutable)
        defer { connection.close() }
        let verdict = try connection.first("PRAGMA integrity_check(1)") { $0.text(0) }
        let id = "SELECT v FROM meta WHERE k = 'store'"
        let isSame = try connection.first(id) { $0.text(0) } == first(id) { $0.text(0) }
        guard verdict == "ok", isSame else {
            throw .damaged("The backup \(copy) could not be read back: \(verdict ?? "no answer").")
        }
    }
}
