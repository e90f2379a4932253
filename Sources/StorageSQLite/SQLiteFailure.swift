import CSQLite
import MartletDomain
import MartletStorage

extension StorageError {
    /// What an SQLite result code means to someone who keeps runs in the file.
    static func sqlite(_ code: Int32, _ words: String, doing: String, path: String) -> StorageError {
        let cause = "SQLite \(code): \(words); \(doing)"
        switch code & 0xff {
        case SQLITE_FULL:
            return StorageError(
                .full, "The disk that holds the store is full.",
                remedy: "Free some space; nothing that was acknowledged is lost, and what was not is sent again.",
                cause: cause)
        case SQLITE_IOERR:
            return StorageError(
                .io, "The store's file could not be read or written.",
                remedy: "Look at the disk's health and the system's log, then run `martlet fsck`.", cause: cause)
        case SQLITE_CORRUPT:
            return StorageError(
                .damaged, "The store's database \(path) is damaged.",
                remedy: "Run `martlet fsck` to see what is hurt; `martlet restore` brings back a backup.", cause: cause)
        case SQLITE_NOTADB:
            return StorageError(
                .damaged, "The file \(path) is not a database.",
                remedy: "Look at what overwrote it; `martlet restore` brings back a backup.", cause: cause)
        case SQLITE_BUSY, SQLITE_LOCKED:
            return StorageError(
                .locked, "Another program holds the store's database.",
                remedy: "Wait until it is done, or close the program that has the file open.", cause: cause)
        case SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH:
            return StorageError(
                .readOnly, "The store's database \(path) can be read but not written.",
                remedy: "Check who owns the folder and that the file system is not mounted read-only.", cause: cause)
        case SQLITE_CANTOPEN:
            return StorageError(
                .io, "The store's database \(path) cannot be opened.",
                remedy: "Check that the folder is there and that you may read it.", cause: cause)
        case SQLITE_CONSTRAINT:
            return StorageError(
                .conflict, "The store already has a row with this key.",
                remedy: "Read the row that is there, then change that one.", cause: cause)
        case SQLITE_TOOBIG:
            return StorageError(
                .limit, "A value is larger than the store can keep.", remedy: "Keep it as an artifact.", cause: cause)
        default:
            return StorageError(
                .io, "The store's database refused a statement.", remedy: "Please report this with the log.",
                cause: cause)
        }
    }

    static func damaged(_ message: String) -> StorageError {
        StorageError(
            .damaged, message,
            remedy: "Run `martlet fsck` to see what is hurt; `martlet restore` brings back a backup.")
    }
}
