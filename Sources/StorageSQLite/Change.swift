import MartletDomain
import MartletStorage

/// Something to do in a transaction, and whom to tell.
///
/// Made by whoever submits it and touched by the writer's thread alone after that.
class Change: @unchecked Sendable {
    let bytes: Int
    init(bytes: Int) { self.bytes = bytes }
    func apply(_ transaction: SQLiteTransaction) throws(StorageError) {}
    func finish(_ refusal: StorageError?) {}
}

final class ChangeWithAnswer<T: Sendable>: Change, @unchecked Sendable {
    private let body: @Sendable (SQLiteTransaction) throws(StorageError) -> T
    private let then: @Sendable (Result<T, StorageError>) -> Void
    private var value: T?

    init(
        bytes: Int, _ body: @escaping @Sendable (SQLiteTransaction) throws(StorageError) -> T,
        then: @escaping @Sendable (Result<T, StorageError>) -> Void
    ) {
        (self.body, self.then) = (body, then)
        super.init(bytes: bytes)
    }

    override func apply(_ transaction: SQLiteTransaction) throws(StorageError) { value = try body(transaction) }

    override func finish(_ refusal: StorageError?) {
        if let refusal { return then(.failure(refusal)) }
        guard let value else { preconditionFailure("a change is told of its success after it was applied") }
        then(.success(value))
    }
}
