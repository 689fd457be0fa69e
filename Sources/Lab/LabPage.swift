import Base
import CLab

/// The teaching page: one file that needs no other, put together from those in `Sources/CLab/Page`.
///
/// The module in it is the code of this package, compiled to WebAssembly by `.ci/lab-module`, packed by gzip, and
/// written down in Base64, so that the page also works where it is opened from a disk.
package enum LabPage {
  /// UTF-8, about a megabyte. Made anew at each call.
  package static var bytes: [UInt8] {
    var page: [UInt8] = []
    for line in file(LAB_PAGE).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      let trimmed = line.drop { $0 == UInt8(ascii: " ") }
      if trimmed.elementsEqual("<!-- style -->".utf8) {
        enclose("style", [LAB_STYLE], &page)
      } else if trimmed.elementsEqual("<!-- module -->".utf8) {
        page += "<script id=\"module\" type=\"text/plain\">".utf8
        Base64.append(Array(file(LAB_MODULE)), to: &page)
        page += "</script>\n".utf8
      } else if trimmed.elementsEqual("<!-- script -->".utf8) {
        enclose("script", [LAB_SCRIPT_ENGINE, LAB_SCRIPT_DRAWING, LAB_SCRIPT_PANELS, LAB_SCRIPT_MAIN], &page)
      } else {
        page += line
        page.append(UInt8(ascii: "\n"))
      }
    }
    // The last line of a file ends like the others.
    if page.last == UInt8(ascii: "\n") { page.removeLast() }
    return page
  }

  private static func enclose(_ element: String, _ files: [lab_file], _ page: inout [UInt8]) {
    page += "<\(element)>\n".utf8
    for one in files { page += file(one) }
    page += "</\(element)>\n".utf8
  }

  private static func file(_ file: lab_file) -> UnsafeBufferPointer<UInt8> {
    var count = 0
    let bytes = lab_bytes(file, &count)
    return UnsafeBufferPointer(start: bytes, count: count)
  }
}
