/// Which store a command works on: one rule for the command line, the server and the Python SDK.
///
/// What is said on the command line, else in MARTLET_TRACKING_URI, else in the user's config file, else the nearest
/// `.martlet` upward (not above the git root or the home folder), else `.martlet` in the git root, else in the working
/// folder. The folder from which Hydra or Slurm was started stands for the working folder.
package enum StorePlace: Hashable, Sendable {
    case server(String)
    /// An absolute path.
    case folder(String)

    package init(_ text: String, from workingFolder: String) throws(ClientFailure) {
        if text.hasPrefix("http://") || text.hasPrefix("https://") {
            self = .server(text)
            return
        }
        if let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://"), !text.hasPrefix("file://") {
            throw ClientFailure(
                .usage, "“\(text)” is neither a folder nor an http or https address.",
                remedy: "Give one such as ./runs or http://localhost:8003.")
        }
        let path = Disk.absolute(text.hasPrefix("file://") ? String(text.dropFirst(7)) : text, from: workingFolder)
        // The folder of a project stands for the store in it.
        let isStore = Disk.exists(path + "/martlet.db") || Disk.exists(path + "/logbooks")
        self = .folder(!isStore && Disk.isFolder(path + "/.martlet") ? path + "/.martlet" : path)
    }

    package static func find(
        given: String?, config: UserFiles, environment: [String: String], workingFolder: String
    ) throws(ClientFailure) -> StorePlace {
        if let given { return try StorePlace(given, from: workingFolder) }
        if let said = config.setting("uri") {
            return try StorePlace(said, from: environment["HOME"] ?? workingFolder)
        }
        return .folder(standard(environment: environment, workingFolder: workingFolder))
    }

    package static func standard(environment: [String: String], workingFolder: String) -> String {
        let start =
            [environment["HYDRA_ORIGINAL_CWD"], environment["SLURM_SUBMIT_DIR"]]
            .compactMap { $0 }.first { Disk.isFolder($0) } ?? workingFolder
        let home = environment["HOME"]
        var folder: String? = start
        while let here = folder {
            if Disk.isFolder(here + "/.martlet") { return here + "/.martlet" }
            if Disk.exists(here + "/.git") { return here + "/.martlet" }
            if here == home { break }
            folder = Disk.parent(of: here)
        }
        return start + "/.martlet"
    }

    package var text: String {
        switch self {
        case .server(let address): address
        case .folder(let path): path
        }
    }

    /// Where the database of a store on a network file system goes.
    package static func cacheFolder(_ environment: [String: String]) -> String? {
        let said = environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        return (said ?? environment["HOME"].map { $0 + "/.cache" }).map { $0 + "/martlet" }
    }
}
