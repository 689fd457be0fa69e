import Base
import Replica
import Storage
import Wire

/// `GET /v1/scrub`, and the 202 of `POST /v1/scrub`, which begins a pass over the whole data folder:
///
///     {"passes":N,"running":bool,"read_bytes":N,"found":N,"rewritten":N,"damaged_records":N,"healed_records":N,
///      "findings":[{"file":"table 3","offset":N,"key":…,"outcome":"rewritten"|"abstaining"}…]}
///
/// A pass that was asked for is done when `passes` is greater than the 202 said.
enum ScrubAnswer {
  static func write(
    _ status: NodeStatus, code: Int, _ exchange: HTTPExchange, _ date: HTTPDate, _ writer: inout ResponseWriter
  ) -> Int {
    var json = JSONObject()
    json.add("passes", status.scrub.passes)
    json.add("running", status.scrub.isRunning)
    json.add("read_bytes", status.scrub.bytes)
    json.add("found", status.scrub.found)
    json.add("rewritten", status.scrub.rewritten)
    json.add("damaged_records", status.replica.damaged)
    json.add("healed_records", status.replica.healed)
    json.name("findings")
    json.bytes.append(UInt8(ascii: "["))
    for (place, entry) in status.scrub.findings.enumerated() {
      if place > 0 { json.bytes.append(UInt8(ascii: ",")) }
      var finding = JSONObject()
      finding.add("file", text: entry.finding.file.description)
      finding.add("offset", entry.finding.offset)
      if let key = entry.finding.key { finding.add("key", bytes: key) }
      if case .abstaining = entry.outcome {
        finding.add("outcome", text: "abstaining")
      } else {
        finding.add("outcome", text: "rewritten")
      }
      json.bytes.append(contentsOf: finding.finish())
    }
    json.bytes.append(UInt8(ascii: "]"))
    writer.begin(code, exchange, date)
    writer.end(.json, json.finish())
    return code
  }
}
