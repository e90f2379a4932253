import Glibc
import MartletCLI
import MartletDomain

/// A folder of its own with the whole program in front of it, in process: what a person would type, and what they see.
final class Desk: Sendable {
    struct Seen {
        var code: ExitCode
        var output: String
        var errors: String
    }

    let folder: String
    private let environment: [String: String]

    init() {
        var template = Array("/tmp/martlet-cli-XXXXXX".utf8CString)
        guard let path = mkdtemp(&template) else { preconditionFailure("no folder for a test") }
        folder = String(cString: path)
        environment = ["HOME": folder, "TZ": "UTC", "NO_COLOR": "1"]
    }

    deinit { Desk.remove(folder) }

    /// Noon of a day in 2024; runs that give no time of their own are later than that.
    static let now = Timestamp(iso: "2024-03-01T12:00:00Z") ?? Timestamp(micros: 0)

    func run(
        _ words: [String], columns: Int? = nil, adding: [String: String] = [:], in place: String = ""
    ) async -> Seen {
        let terminal = RecordedTerminal(columns: columns, environment: environment.merging(adding) { $1 })
        var world = World.system(terminal)
        world.workingFolder = place.isEmpty ? folder : folder + "/" + place
        world.now = { Desk.now }
        let code = await CLI.program(world).run(words, in: terminal)
        return Seen(code: code, output: terminal.output, errors: terminal.errors)
    }

    /// Words as a shell splits them; single quotes hold them together.
    func run(
        _ line: String, columns: Int? = nil, adding: [String: String] = [:], in place: String = ""
    ) async -> Seen {
        var words: [String] = []
        var word: String?
        var isQuoted = false
        for character in line {
            if character == "'" {
                isQuoted.toggle()
                word = word ?? ""
            } else if character == " ", !isQuoted {
                if let done = word { words.append(done) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        if let done = word { words.append(done) }
        return await run(words, columns: columns, adding: adding, in: place)
    }

    func write(_ text: String, to name: String) {
        let file = open(folder + "/" + name, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        defer { close(file) }
        _ = text.withCString { Glibc.write(file, $0, strlen($0)) }
    }

    func read(_ name: String) -> String? {
        guard let file = fopen(folder + "/" + name, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        while case let next = fgetc(file), next >= 0 { bytes.append(UInt8(next)) }
        return String(decoding: bytes, as: UTF8.self)
    }

    func exists(_ name: String) -> Bool { access(folder + "/" + name, F_OK) == 0 }

    private static func remove(_ path: String) {
        if let folder = opendir(path) {
            var names: [String] = []
            while let entry = readdir(folder) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != ".", name != ".." { names.append(name) }
            }
            closedir(folder)
            var facts = stat()
            for name in names {
                let inner = path + "/" + name
                if lstat(inner, &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR { remove(inner) } else { unlink(inner) }
            }
        }
        rmdir(path)
    }
}

extension Desk {
    /// The eight runs of ridge regression: params as they were written, metrics to four decimals (the first run's to six).
    static let ridge: [(params: [String], metrics: [String])] = [
        (["LinReg", "0.01", "0", "500"], ["0.208422", "0.237527", "0.905399", "0.913230", "1.493178"]),
        (["LinReg", "0.001", "0", "1000"], ["0.5597", "0.7506", "", "0.7258", ""]),
        (["Ridge", "0.01", "0.01", "500"], ["0.2094", "0.2381", "", "0.9130", "1.477"]),
        (["Ridge", "0.01", "0.1", "500"], ["0.2337", "0.2676", "", "0.9022", "1.343"]),
        (["Ridge", "0.01", "1", "500"], ["0.7759", "1.0239", "", "0.6260", "0.701"]),
        (["Ridge", "0.01", "10", "500"], ["1.8885", "2.5084", "", "0.0837", "0.123"]),
        (["Ridge", "0.001", "0.1", "1000"], ["0.6000", "0.8047", "", "0.7060", ""]),
        (["Ridge", "0.001", "1", "1000"], ["0.9345", "1.2530", "", "0.5423", ""]),
    ]

    static let experiment = "ridge_regression_tuning"

    /// Logs them, a minute apart.
    func logRidge() async -> [Seen] {
        var seen: [Seen] = []
        for (place, run) in Desk.ridge.enumerated() {
            var words = ["log", "run", Desk.experiment, "--status", "done"]
            words += ["--start", "2024-01-15T10:3\(place):00Z", "--end", "2024-01-15T10:3\(place):30Z"]
            words += ["--id", String(repeating: "\(place)", count: 32)]
            for (name, value) in zip(["algorithm", "learning_rate", "lambda", "n_iter"], run.params) {
                words += ["--param", "\(name)=\(value)"]
            }
            for (name, value) in zip(["train_mse", "test_mse", "train_r2", "test_r2", "weight_norm"], run.metrics)
            where !value.isEmpty {
                words += ["--metric", "\(name)=\(value)"]
            }
            seen.append(await self.run(words))
        }
        return seen
    }

    /// The five runs of the table that a lab notebook begins with.
    func logNotebook() async {
        let rows: [(String, String, String, String, String, String)] = [
            ("LinReg", "0.01", "0.0", "0.82", "0.81", "done"), ("LinReg", "0.01", "0.1", "0.84", "0.83", "done"),
            ("Ridge", "0.001", "1.0", "0.85", "0.84", "done"), ("GBT", "0.1", "0.5", "0.87", "0.82", "overfit"),
            ("GBT", "0.05", "1.0", "0.86", "0.85", "done"),
        ]
        for (place, row) in rows.enumerated() {
            _ = await run([
                "log", "run", "notebook", "--param", "algorithm=\(row.0)", "--param", "learning_rate=\(row.1)",
                "--param", "regularization=\(row.2)", "--metric", "val_accuracy=\(row.3)",
                "--metric", "test_accuracy=\(row.4)", "--status", row.5, "--start", "2024-02-0\(place + 1)",
            ])
        }
    }
}

extension Desk {
    func makeFolder(_ name: String) { mkdir(folder + "/" + name, 0o755) }
}
