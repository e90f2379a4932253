import Glibc
import MartletDomain
import Synchronization

/// A file on its way under a name of its own: written step by step, each under one lock, until it is settled or given up.
final class UnfinishedFile: @unchecked Sendable {
    let folder: Descriptor
    let file: Descriptor
    let name: String
    private let lock = Mutex(())
    /// Under the lock.
    private var isOpen = true

    init(_ name: String, _ file: consuming Descriptor, in folder: consuming Descriptor) {
        self.name = name
        self.file = file
        self.folder = folder
    }

    deinit { remove() }

    /// One step; one that fails ends the whole, since nothing can follow a piece that is missing.
    func step<Value>(_ ended: Refusal, _ step: () throws(Refusal) -> Value) throws(Refusal) -> Value {
        var outcome: Result<Value, Refusal>?
        lock.withLock { _ in
            guard isOpen else { return }
            let made = Result { () throws(Refusal) in try step() }
            if case .failure = made { remove() }
            outcome = made
        }
        guard let outcome else { throw ended }
        return try outcome.get()
    }

    /// It has the name that it was written for. Inside of a step.
    func settle() { isOpen = false }

    func giveUp() { lock.withLock { _ in remove() } }

    private func remove() {
        guard isOpen else { return }
        isOpen = false
        unlinkat(folder.raw, name, 0)
        // The disk gets its space back now, not when the last holder of this lets go.
        ftruncate(file.raw, 0)
    }
}
