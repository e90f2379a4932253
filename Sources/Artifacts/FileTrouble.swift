import Glibc
import MartletDomain

/// Says what the system said, in words that name the path and what to do.
struct FileTrouble {
    enum Verb: String { case read, write }

    var verb: Verb
    var path: String

    /// `error` is taken before anything else can change it.
    func refusal(_ error: Int32 = errno) -> Refusal {
        let cause = "\(String(cString: strerror(error))), errno \(error)"
        switch error {
        case ENOSPC, EDQUOT:
            return Refusal(
                .full, "The disk of “\(path)” is full.",
                remedy: "Free some space there, or raise the quota; what was stored before is whole.", cause: cause)
        case EROFS where verb == .write, EACCES where verb == .write, EPERM where verb == .write:
            return Refusal(
                .readOnly, "“\(path)” cannot be written by the user that runs this (number \(geteuid())).",
                remedy: error == EROFS
                    ? "The file system is mounted read-only: remount it, or name another folder with --data."
                    : "Give that user the right to write there (chown or chmod), or name another folder with --data.",
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
