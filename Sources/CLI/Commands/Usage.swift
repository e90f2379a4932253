import MartletArtifacts
import MartletClient
import MartletDomain
import MartletJSON
import MartletStorage
import MartletStorageSQLite

extension World {
    var usage: Command {
        plainCommand(
            "du", "Say what a store takes on disk",
            discussion: """
                Counts blocks, as the program du does; the rows are the database and the files beside it. Logbooks that \
                were adopted are kept for a while as a second copy: how many wait, and what for, is said below.
                """,
            options: Shared.tables,
            examples: [Example("martlet du"), Example("martlet du --uri /srv/martlet --json")]
        ) { parsed, terminal in
            let path = try folder(parsed, terminal)
            guard Disk.isFolder(path) else { throw CommandFailure.noStore(path) }
            // Before counting: whoever closes a database last makes its files smaller.
            let kept = keptLogbooks(in: path, terminal)
            var table = Table([
                .text("Part", priority: 3), .number("Files"), .number("Bytes"), .number("On disk", priority: 2),
            ])
            var json = JSONObject()
            func add(_ name: String, _ files: Int, _ bytes: Int64, _ disk: Int64) {
                table.add([
                    .init(name), .init(NumberText.grouped(files), exact: "\(files)"),
                    .init(NumberText.bytes(bytes), exact: "\(bytes)"), .init(NumberText.bytes(disk), exact: "\(disk)"),
                ])
                json[name] = ["files": .int(Int64(files)), "bytes": .int(bytes), "disk": .int(disk)]
            }
            let all = try DiskUsage(of: path)
            var rest = all
            let adopted = "logbooks/done"
            for (title, name) in [("artifacts", "artifacts"), ("logbooks", "logbooks"), ("adopted", adopted)]
            where Disk.isFolder(path + "/" + name) {
                var part = try DiskUsage(of: path + "/" + name)
                // Each file is in one row: what was adopted is not counted among the growing ones.
                if name == "logbooks", Disk.isFolder(path + "/" + adopted) {
                    part.subtract(try DiskUsage(of: path + "/" + adopted))
                }
                add(title, part.files, part.bytes, part.bytesOnDisk)
                rest.subtract(part)
            }
            table.rows.insert([], at: 0)
            table.rows[0] = row("rows", rest)
            json["rows"] = [
                "files": .int(Int64(rest.files)), "bytes": .int(rest.bytes), "disk": .int(rest.bytesOnDisk),
            ]
            add("total", all.files, all.bytes, all.bytesOnDisk)
            if let kept, var part = json["adopted"]?.object {
                part["waiting"] = kept.json
                json["adopted"] = .object(part)
            }
            if parsed.isOn("json") {
                var writer = JSONWriter(pretty: true)
                writer.value(JSONValue.object(JSONObject([.init("store", .string(path))] + json.members)))
                writer.endLine()
                terminal.write(writer.text, to: .output)
            } else if parsed.isOn("csv") {
                terminal.write(table.csv(), to: .output)
            } else {
                terminal.write(
                    table.rendered(
                        width: terminal.fittingWidth(of: .output), paint: Session.paint(parsed, terminal)), to: .output)
                if let kept { terminal.line("Logbooks: \(kept.text).", to: .error) }
            }
            return .good
        }
    }

    /// Nil also where the database cannot be asked: what a store takes can be said without it.
    private func keptLogbooks(in path: String, _ terminal: any Terminal) -> KeptLogbooks? {
        guard Disk.isFolder(path + "/logbooks/done"),
            let store = try? FolderStore.open(
                path, cacheFolder: StorePlace.cacheFolder(terminal.environment), now: now())
        else { return nil }
        defer { store.close() }
        return try? store.keptLogbooks()
    }

    private func row(_ name: String, _ usage: DiskUsage) -> [Table.Cell] {
        [
            .init(name), .init(NumberText.grouped(usage.files), exact: "\(usage.files)"),
            .init(NumberText.bytes(usage.bytes), exact: "\(usage.bytes)"),
            .init(NumberText.bytes(usage.bytesOnDisk), exact: "\(usage.bytesOnDisk)"),
        ]
    }
}

extension DiskUsage {
    /// Takes away what a folder beneath it takes.
    fileprivate mutating func subtract(_ part: DiskUsage) {
        files -= part.files
        folders -= part.folders
        bytes -= part.bytes
        bytesOnDisk -= part.bytesOnDisk
    }
}
