import Foundation
import Testing

@Suite("Arrows between the targets")
struct ImportTests {
  /// The module that a line imports, if it is an import.
  static func imported(_ line: Substring) -> String? {
    let access = "(?:(?:public|package|internal|fileprivate|private)\\s+)?"
    let kind = "(?:(?:struct|class|enum|protocol|typealias|func|let|var)\\s+)?"
    let text = "^\\s*(?:@\\w+(?:\\([^)]*\\))?\\s+)*\(access)import\\s+\(kind)(\\w+)"
    guard let pattern = try? Regex(text, as: (Substring, Substring).self) else { return nil }
    return line.prefixMatch(of: pattern).map { String($0.1) }
  }

  @Test(arguments: [
    ("import Base", "Base"), ("package import Base", "Base"), ("@testable import Base", "Base"),
    ("  @_spi(X) public import struct Glibc.stat", "Glibc"), ("// import Base", nil), ("let important = 1", nil),
    ("importBase()", nil),
  ])
  func importsAreRecognised(_ line: String, _ module: String?) {
    #expect(Self.imported(Substring(line)) == module)
  }

  @Test func theHouseHasNoCycle() {
    for target in House.arrows.keys { #expect(!House.below(target).contains(target), "\(target)") }
  }

  @Test func sourcesImportOnlyWhatIsBelowThem() throws {
    let files = try Repository.files(in: "Sources")
    #expect(files.count > 20)
    for file in files {
      guard House.arrows[file.target] != nil else {
        Issue.record("\(file.path): \(file.target) has no place in the house")
        continue
      }
      let allowed = House.below(file.target).union(House.pure.contains(file.target) ? [] : House.system)
      for (number, line) in file.code {
        guard let module = Self.imported(line) else { continue }
        #expect(allowed.contains(module), "\(file.path):\(number): \(file.target) may not import \(module)")
      }
    }
  }

  /// The targets that the manifest declares, with what they depend on.
  static func declared() throws -> [(target: String, dependencies: [String])] {
    let manifest = try String(contentsOf: Repository.root.appending(path: "Package.swift"), encoding: .utf8)
    let pattern =
      /(?:library|tests|\.executableTarget)\(\s*(?:name:\s*)?"(\w+)"(?:,\s*(?:dependencies:\s*)?\[([^\]]*)\])?/
    return manifest.matches(of: pattern).map { match in
      let names = (match.2 ?? "").matches(of: /"(\w+)"/).map { String($0.1) }
      return (String(match.1), names)
    }
  }

  @Test func theManifestPointsDownward() throws {
    let targets = try Self.declared()
    #expect(targets.contains { $0.target == "Base" } && targets.contains { $0.target == "WireTests" })
    for (target, dependencies) in targets where House.arrows[target] != nil {
      let below = House.below(target)
      for dependency in dependencies {
        #expect(below.contains(dependency), "Package.swift: \(target) may not depend on \(dependency)")
      }
    }
  }

  @Test func everyFolderIsATargetWithTests() throws {
    let declared = Set(try Self.declared().map(\.target) + ["CLinux", "CProcessor"])
    for folder in ["Sources", "Tests"] {
      let names = Set(try Repository.files(in: folder).map(\.target))
      #expect(names.subtracting(declared).isEmpty, "\(folder) holds what no target owns")
    }
  }
}
