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

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
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
  targets: [
    .systemLibrary(name: "CLinux"),
    library("Base"),
    library("Replica", ["Base"]),
    library("Register", ["Base", "Replica"]),
    library("RaftLog", ["Base", "Replica"]),
    library("Wire", ["Base", "Replica"]),
    library("Storage", ["Base"]),
    library("Host", ["Base", "Replica", "Wire", "Storage"]),
    library("Linux", ["CLinux", "Base", "Storage"]),
    library("Server", ["Base", "Replica", "Wire", "Storage", "Host", "Linux"]),
    library("Client", ["Base", "Wire", "Linux"]),
    .executableTarget(
      name: "synod",
      dependencies: [
        "Base", "Replica", "Register", "RaftLog", "Wire", "Storage", "Host", "Linux", "Server", "Client",
      ],
      swiftSettings: settings),
    tests("BaseTests", ["Base"]),
    tests("RegisterTests", ["Base", "Replica", "Register"]),
    tests("RaftLogTests", ["Base", "Replica", "RaftLog", "Storage"]),
    tests("WireTests", ["Base", "Replica", "Wire"]),
    tests("StorageTests", ["Base", "Storage"]),
    tests("HostTests", ["Base", "Replica", "Register", "Wire", "Storage", "Host"]),
    tests("LinuxTests", ["Base", "Storage", "Linux"]),
    tests("ClientTests", ["Base", "Linux", "Client", "synod"]),
    tests("EndToEndTests", ["synod"]),
    tests("TidyTests", []),
  ]
)
