import Glibc

/// A file opened for reading, closed when nobody holds it any more.
///
/// A descriptor rather than a path, so that what was checked is what is sent.
package final class OpenFile: Sendable {
    package let descriptor: Int32

    /// Takes the descriptor over.
    package init(owning descriptor: Int32) { self.descriptor = descriptor }

    /// Opens a path that we chose ourselves; a link at its end is refused.
    package init(path: String) throws(HTTPError) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else {
            throw HTTPError(
                .notFound, "file_unreadable", "A file that should be sent cannot be opened (error \(errno)).",
                remedy: "Check with `martlet fsck` that the file is there and readable.")
        }
    }

    deinit { close(descriptor) }

    package var length: Int {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }
}
