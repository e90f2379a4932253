import MartletArtifacts
import MartletDomain
import MartletJSON
import MartletStorage
import MartletStorageSQLite

extension World {
    var usage: Command {
        plainCommand(
            "du", "Say what a store takes on disk",
            discussion: "Counts blocks, as the program du does; the rows are the database and the files beside it.",
            options: Shared.tables,
            examples: [Example("martlet du"), Example("martlet du --uri /srv/martlet --json")]
        ) { parsed, terminal in
            let path = try folder(parsed, terminal)
            guard Disk.isFolder(path) else { throw CommandFailure.noStore(path) }
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
            for name in ["artifacts", "logbooks"] where Disk.isFolder(path + "/" + name) {
                let part = try DiskUsage(of: path + "/" + name)
                add(name, part.files, part.bytes, part.bytesOnDisk)
                rest.files -= part.files
                rest.bytes -= part.bytes
                rest.bytesOnDisk -= part.bytesOnDisk
            }
            table.rows.insert([], at: 0)
            table.rows[0] = row("rows", rest)
            json["rows"] = [
                "files": .int(Int64(rest.files)), "bytes": .int(rest.bytes), "disk": .int(rest.bytesOnDisk),
            ]
            add("total", all.files, all.bytes, all.bytesOnDisk)
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
            }
            return .good
        }
    }

    private func row(_ name: String, _ usage: DiskUsage) -> [Table.Cell] {
        [
            .init(name), .init(NumberText.grouped(usage.files), exact: "\(usage.files)"),
            .init(NumberText.bytes(usage.bytes), exact: "\(usage.bytes)"),
            .init(NumberText.bytes(usage.bytesOnDisk), exact: "\(usage.bytesOnDisk)"),
        ]
    }
}
