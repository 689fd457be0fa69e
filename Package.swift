// swift-tools-version: 6.2
import PackageDescription

/// One set of settings for every target: Swift 6 mode, warnings as errors, explicit imports.
let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
]

/// What a node runs for each request. The compiler proves exclusive access to variables and values; for the
/// properties of classes it leaves checks to run time, which are a sixth of a write's instructions. Debug builds keep
/// them. Not for what the client library stands on: a package with such a flag cannot be depended on by version. What is
/// called most there, in Base and Replica, is `@usableFromInline package` instead, and so inlined here.
/// (`-cross-module-optimization` on these targets was tried: one instruction in a hundred.)
let hotSettings = settings + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

func library(_ name: String, _ dependencies: [Target.Dependency] = [], isHot: Bool = false) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: isHot ? hotSettings : settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

// Arrows point downward only; Tests/TidyTests holds every import against this list.
let package = Package(
  name: "synod",
  products: [
    .executable(name: "synod", targets: ["synod"]),
    .library(name: "Client", targets: ["Client"]),
  ],
  traits: [
    // Builds in which a guard can be taken out, to see that the simulator notices (`synod mutants`). Never shipped.
    .trait(name: "Mutants", description: "Guards of the protocol and of the storage can be taken out, one at a time.")
  ],
  targets: [
    .systemLibrary(name: "CLinux"),
    .systemLibrary(name: "CProcessor"),
    library("Base"),
    library("Replica", ["Base"]),
    library("Register", ["CProcessor", "Base", "Replica"], isHot: true),
    library("RaftLog", ["Base", "Replica"], isHot: true),
    library("Wire", ["Base", "Replica"]),
    library("Storage", ["Base"], isHot: true),
    library("Linearizability", ["Base"]),
    library("Host", ["CProcessor", "Base", "Replica", "Wire", "Storage"], isHot: true),
    library(
      "Simulator", ["Base", "Replica", "Register", "RaftLog", "Wire", "Storage", "Host", "Linearizability"]),
    library("LabCore", ["Base", "Wire", "Storage", "Linearizability", "Simulator"]),
    // The files of the page, embedded as they stand.
    .target(name: "CLab", exclude: ["Page"]),
    library("Lab", ["Base", "CLab", "LabCore"]),
    library("Linux", ["CLinux", "Base", "Storage"]),
    library("Server", ["CProcessor", "Base", "Replica", "Wire", "Storage", "Host", "Linux"], isHot: true),
    library("Client", ["Base", "Wire", "Linux"]),
    library("Workload", ["Base"], isHot: true),
    library("Compare", ["Base", "Wire", "Linux", "Client", "Workload", "Simulator"], isHot: true),
    .executableTarget(
      name: "synod",
      dependencies: [
        "Base", "Replica", "Register", "RaftLog", "Wire", "Storage", "Linearizability", "Host", "Simulator",
        "Linux", "Server", "Client", "Workload", "Compare", "LabCore", "Lab",
      ],
      swiftSettings: settings),
    tests("BaseTests", ["Base"]),
    tests("RegisterTests", ["Base", "Replica", "Register"]),
    tests("RaftLogTests", ["Base", "Replica", "RaftLog", "Simulator", "Storage"]),
    tests("WireTests", ["Base", "Replica", "Wire"]),
    tests("StorageTests", ["Base", "Storage"]),
    tests("LinearizabilityTests", ["Base", "Linearizability"]),
    tests("HostTests", ["Base", "Replica", "Register", "Wire", "Storage", "Host"]),
    tests("SimulatorTests", ["Base", "Host", "RaftLog", "Storage", "Simulator"]),
    tests("LinuxTests", ["Base", "Storage", "Linux"]),
    tests("ClientTests", ["Base", "Linearizability", "Linux", "Client", "synod"]),
    tests("WorkloadTests", ["Base", "Workload"]),
    tests("CompareTests", ["Base", "Linux", "Workload", "Compare", "synod"]),
    tests("LabTests", ["Base", "Linearizability", "Simulator", "LabCore", "Lab", "synod"]),
    tests("EndToEndTests", ["synod"]),
    tests("MaelstromTests", ["Base", "Replica", "Register", "Wire", "synod"]),
    tests("TidyTests", []),
  ]
)
