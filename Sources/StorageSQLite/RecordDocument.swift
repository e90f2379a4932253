import MartletDomain
import MartletStorage

/// The texts of a project or an experiment: few, small and read whole, so keys are spelled out.
struct RecordDocument {
    var facts: Pairs<String>
    var tags: Pairs<TagValue>
    var extras = Pairs<String>()

    private static let version: UInt8 = 1

    var encoded: [UInt8] {
        var out = DocumentWriter(version: Self.version)
        out.put(texts: facts)
        out.put(tags.count)
        for (key, value) in tags.entries {
            out.put(text: key)
            out.put(value == nil ? 0 : 1)
            if let value { out.put(text: value) }
        }
        out.put(texts: extras)
        return out.sealed()
    }

    static func decode(_ bytes: UnsafeRawBufferPointer) throws(StorageError) -> RecordDocument {
        var reader = try DocumentReader(bytes, version: version, "record document")
        let facts = try reader.texts()
        var tags = Pairs<TagValue>()
        for _ in 0..<(try reader.count()) {
            let key = try reader.text()
            let isSet = try reader.byte() != 0
            tags[key] = .some(isSet ? try reader.text() : nil)
        }
        let extras = try reader.texts()
        try reader.finish()
        return RecordDocument(facts: facts, tags: tags, extras: extras)
    }
}

extension DocumentWriter {
    fileprivate mutating func put(texts: Pairs<String>) {
        put(texts.count)
        for (key, value) in texts.entries {
            put(text: key)
            put(text: value)
        }
    }
}

extension DocumentReader {
    fileprivate mutating func texts() throws(StorageError) -> Pairs<String> {
        var texts = Pairs<String>()
        for _ in 0..<(try count()) {
            let key = try text()
            texts[key] = try text()
        }
        return texts
    }
}
