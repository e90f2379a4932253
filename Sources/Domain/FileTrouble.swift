import Glibc

/// Says what the system said of a file, in words that name the path and what to do: the same words for a database, an
/// artifact and a logbook.
package struct FileTrouble {
    package enum Verb: String {
        case read, write, open, sync, lock, rename
        case makeFolder = "make the folder"
    }

    package var verb: Verb
    package var path: String

    package init(verb: Verb, path: String) { (self.verb, self.path) = (verb, path) }

    /// `error` is taken before anything else can change it.
    package func refusal(_ error: Int32 = errno) -> Refusal {
        let cause = "\(String(cString: strerror(error))), errno \(error)"
        switch error {
        case ENOSPC, EDQUOT:
            return Refusal(
                .full, "The disk of “\(path)” is full.",
                remedy: "Free some space there, or raise the quota; what was stored before is whole.", cause: cause)
        case EROFS where verb != .read, EACCES where verb != .read, EPERM where verb != .read:
            return Refusal(
                .readOnly, "“\(path)” cannot be written by the user that runs this (number \(geteuid())).",
                remedy: error == EROFS
                    ? "The file system is mounted read-only: remount it, or choose another folder."
                    : "Give that user the right to write there (chown or chmod), or choose another folder.",
                cause: cause)
        case EROFS, EACCES, EPERM:
            return Refusal(
                .io, "“\(path)” cannot be read by the user that runs this (number \(geteuid())).",
                remedy: "Give that user the right to read it (chown or chmod).", cause: cause)
        case ENOENT:
            return Refusal(
                .notFound, "There is no “\(path)”.", remedy: "Check that the folder was not moved or deleted.",
                cause: cause)
        case ENOTDIR, ELOOP:
            return Refusal(
                .damaged, "“\(path)” is a link or a file where a folder of ours should be.",
                remedy: "Move it away; links inside the store are not followed.", cause: cause)
        case EMFILE, ENFILE:
            return Refusal(
                .busy, "Too many files are open to \(verb.rawValue) “\(path)”.",
                remedy: "Try again in a moment; raise the limit with ulimit -n when it stays.", cause: cause)
        case EFBIG:
            return Refusal(
                .tooLarge, "“\(path)” would grow larger than the file system or a limit (ulimit -f) allows.",
                remedy: "Raise the limit, or split the file.", cause: cause)
        default:
            return Refusal(
                .io, "The system could not \(verb.rawValue) “\(path)”.",
                remedy: "Check the disk (dmesg, df); run `martlet fsck` when it is well again.", cause: cause)
        }
    }
}
