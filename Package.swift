// swift-tools-version: 6.2
// The floor plan: every room, and the only doors between them. Imports point up this list, never down.
import PackageDescription

let house: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

/// C libraries that Debian ships: one module map and one shim header each, no Swift.
struct Library {
    var name: String
    /// Nil where Debian ships no .pc file.
    var pkgConfig: String?
    var debian: String
}

let libraries = [
    Library(name: "CSQLite", pkgConfig: "sqlite3", debian: "libsqlite3-dev"),
    Library(name: "CMicroHTTPD", pkgConfig: "libmicrohttpd", debian: "libmicrohttpd-dev"),
    Library(name: "CWslay", pkgConfig: nil, debian: "libwslay-dev"),
    Library(name: "CCurl", pkgConfig: "libcurl", debian: "libcurl4-openssl-dev"),
    Library(name: "CZstd", pkgConfig: "libzstd", debian: "libzstd-dev"),
    Library(name: "CZlib", pkgConfig: "zlib", debian: "zlib1g-dev"),
    Library(name: "CYAML", pkgConfig: "yaml-0.1", debian: "libyaml-dev"),
    Library(name: "CCrypto", pkgConfig: "libcrypto", debian: "libssl-dev"),
    Library(name: "CMalloc", pkgConfig: nil, debian: "libc6-dev"),
    Library(name: "CProcessor", pkgConfig: nil, debian: "libc6-dev"),
    Library(name: "CPCRE2", pkgConfig: "libpcre2-8", debian: "libpcre2-dev"),
]

/// C of our own: the built web app as bytes, which the compiler takes in by `#embed`. WebApp alone looks into it.
let carried = Target.target(name: "CWebApp", path: "Sources/CWebApp")

/// One room: a folder under Sources, the rooms and C libraries it may look into.
struct Room {
    var name: String
    var needs: [String] = []
    var isProgram = false
}

let rooms = [
    Room(name: "Threads"),
    Room(name: "Observability"),
    Room(name: "Domain"),
    Room(name: "JSON"),
    Room(name: "Protobuf", needs: ["Domain"]),
    Room(name: "Compression", needs: ["CZlib", "CZstd"]),
    Room(name: "Series", needs: ["CProcessor", "CZstd"]),
    Room(name: "Search", needs: ["CPCRE2"]),
    Room(name: "Storage", needs: ["Threads", "Domain", "JSON", "Series"]),
    Room(
        name: "StorageSQLite",
        needs: ["Threads", "Domain", "Series", "Storage", "Observability", "CSQLite", "CZstd"]),
    Room(name: "HTTPMessages"),
    Room(name: "HTTPClient", needs: ["HTTPMessages", "CCurl"]),
    Room(name: "Egress", needs: ["HTTPMessages", "HTTPClient"]),
    Room(name: "HTTPServer", needs: ["Compression", "HTTPMessages", "Observability", "CMicroHTTPD", "CWslay"]),
    Room(
        name: "Foreign",
        needs: ["Domain", "JSON", "Protobuf", "Series", "HTTPMessages", "HTTPClient", "CSQLite", "CYAML"]),
    Room(name: "Artifacts", needs: ["Domain", "CCrypto"]),
    Room(
        name: "Engine",
        needs: [
            "Threads", "Observability", "Domain", "JSON", "Compression", "Series", "Search", "Storage", "Artifacts",
            "CZlib",
        ]),
    Room(
        name: "APINative",
        needs: [
            "Threads", "Observability", "Domain", "JSON", "Series", "Search", "Storage", "HTTPMessages", "Artifacts",
            "Engine",
        ]),
    Room(
        name: "APIMLflow",
        needs: [
            "Observability", "Domain", "JSON", "Protobuf", "Series", "Search", "Storage", "HTTPMessages", "Artifacts",
            "Engine",
        ]),
    Room(name: "WebApp", needs: ["HTTPMessages", "CWebApp"]),
    Room(
        name: "Server",
        needs: [
            "Threads", "Observability", "Domain", "JSON", "Storage", "StorageSQLite", "HTTPMessages", "HTTPClient",
            "HTTPServer", "Egress", "Artifacts", "Engine", "APINative", "APIMLflow", "WebApp", "CMalloc",
        ]),
    Room(
        name: "Client",
        needs: [
            "Threads", "Observability", "Domain", "JSON", "Storage", "HTTPMessages", "HTTPClient", "Artifacts",
            "Engine", "APINative", "APIMLflow",
        ]),
    Room(
        name: "CLI",
        needs: [
            "Threads", "Observability", "Domain", "JSON", "Series", "Search", "Storage", "StorageSQLite",
            "HTTPMessages", "HTTPClient", "Foreign", "Artifacts", "Engine", "APINative", "APIMLflow", "Server",
            "Client",
        ]),
    Room(
        name: "SDK",
        needs: [
            "Threads", "Observability", "Domain", "JSON", "Series", "Storage", "StorageSQLite", "HTTPMessages",
            "HTTPClient", "Artifacts", "Engine", "Client",
        ]),
    Room(name: "martlet", needs: ["CLI"], isProgram: true),
]

let suites: [(name: String, needs: [String])] = [
    ("ObservabilityTests", ["Observability"]),
    ("DomainTests", ["Domain"]),
    ("JSONTests", ["JSON"]),
    ("SeriesTests", ["Series"]),
    ("SearchTests", ["Search"]),
    ("StoreContractTests", ["Domain", "Series", "Storage", "StorageSQLite"]),
    ("StorageSQLiteTests", ["Domain", "Series", "Storage", "StorageSQLite", "CSQLite"]),
    ("CompressionTests", ["Compression"]),
    ("HTTPServerTests", ["Compression", "HTTPMessages", "HTTPServer"]),
    ("HTTPClientTests", ["HTTPMessages", "HTTPClient", "HTTPServer"]),
    ("ForeignTests", ["Domain", "JSON", "Series", "Foreign"]),
    ("EgressTests", ["HTTPMessages", "HTTPClient", "HTTPServer", "Egress"]),
    ("ArtifactsTests", ["Domain", "Artifacts"]),
    (
        "EngineTests",
        ["Observability", "Domain", "JSON", "Series", "Search", "Storage", "StorageSQLite", "Artifacts", "Engine"]
    ),
    (
        "APINativeTests",
        [
            "Observability", "Domain", "JSON", "Series", "Search", "Storage", "StorageSQLite", "HTTPMessages",
            "Artifacts", "Engine", "APINative",
        ]
    ),
    (
        "APIMLflowTests",
        [
            "Observability", "Domain", "JSON", "Series", "Search", "Storage", "HTTPMessages", "Artifacts", "Engine",
            "APIMLflow",
        ]
    ),
    ("WebAppTests", ["HTTPMessages", "WebApp"]),
    ("CLITests", ["Domain", "JSON", "Observability", "Storage", "Server", "Client", "CLI"]),
    (
        "SDKTests",
        [
            "JSON", "HTTPMessages", "HTTPClient", "Observability", "Server", "Client", "SDK", "martlet-ridge",
            "martlet-spirals",
        ]
    ),
    ("ThreadsTests", ["Threads"]),
    ("ServerTests", ["Domain", "JSON", "HTTPMessages", "HTTPClient", "HTTPServer", "Observability", "Server"]),
    ("HouseTests", []),
]

/// Programs that show the SDK at work, one folder each under Examples. No room, and nothing imports them.
let examples = [(name: "martlet-ridge", folder: "Ridge"), (name: "martlet-spirals", folder: "Spirals")]

let plainNames = Set(libraries.map(\.name) + [carried.name] + examples.map(\.name))
/// Rooms carry the product's name in front, so that they can live in anyone's package graph. The SDK is what others
/// import, and is the product's name itself.
func module(of room: String) -> String { room == "SDK" ? "Martlet" : "Martlet\(room)" }
func doors(_ needs: [String]) -> [Target.Dependency] {
    needs.map { .target(name: plainNames.contains($0) ? $0 : module(of: $0)) }
}

/// Not a room: nothing imports it, and it looks into every room that it measures. `bench/run` builds and calls it.
let benchmarks = Target.executableTarget(
    name: "martlet-bench",
    dependencies: doors([
        "JSON", "Series", "Search", "Storage", "StorageSQLite", "Engine", "Domain", "Observability", "Server",
        "CSQLite",
    ]), path: "bench/micro", swiftSettings: house)

let package = Package(
    name: "martlet",
    products: [
        .executable(name: "martlet", targets: ["martlet"]), .library(name: "Martlet", targets: ["Martlet"]),
    ],
    targets: libraries.map {
        .systemLibrary(
            name: $0.name, path: "Sources/\($0.name)", pkgConfig: $0.pkgConfig, providers: [.apt([$0.debian])])
    }
        + rooms.map { room in
            room.isProgram
                ? .executableTarget(
                    name: room.name, dependencies: doors(room.needs), path: "Sources/\(room.name)",
                    swiftSettings: house)
                : .target(
                    name: module(of: room.name), dependencies: doors(room.needs), path: "Sources/\(room.name)",
                    swiftSettings: house)
        } + [benchmarks, carried]
        + examples.map { example in
            .executableTarget(
                name: example.name, dependencies: doors(["SDK"]), path: "Examples/\(example.folder)",
                swiftSettings: house)
        }
        + suites.map { suite in
            .testTarget(
                name: suite.name, dependencies: doors(suite.needs), path: "Tests/\(suite.name)", swiftSettings: house)
        },
    swiftLanguageModes: [.v6]
)
