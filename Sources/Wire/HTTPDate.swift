import Base

/// One second of the wall clock as a whole `Date` field line (IMF-fixdate, RFC 9110 §5.6.7). Its owner makes one per
/// second and hands it to every answer of that second.
package struct HTTPDate: Sendable, Equatable {
  package let unixSeconds: UInt64
  /// `Date: Sun, 06 Nov 1994 08:49:37 GMT` with CR LF.
  package let fieldLine: [UInt8]

  package init(unixSeconds: UInt64) {
    self.unixSeconds = unixSeconds
    let days = unixSeconds / 86_400
    let second = unixSeconds % 86_400
    // Days to a civil date (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"): years begin in March, so
    // that the leap day is the last of its year.
    let shifted = days + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)

    var line: [UInt8] = []
    line.reserveCapacity(37)
    line.append("Date: ")
    // 1 January 1970 was a Thursday.
    line.append(Self.weekday((days + 4) % 7))
    line.append(", ")
    Self.append(day, digits: 2, to: &line)
    line.append(Self.month(month))
    Self.append(year, digits: 4, to: &line)
    line.append(HTTPCharacters.space)
    Self.append(second / 3600, digits: 2, to: &line)
    line.append(HTTPCharacters.colon)
    Self.append(second / 60 % 60, digits: 2, to: &line)
    line.append(HTTPCharacters.colon)
    Self.append(second % 60, digits: 2, to: &line)
    line.append(" GMT\r\n")
    fieldLine = line
  }

  private static func append(_ number: UInt64, digits: Int, to line: inout [UInt8]) {
    var scale: UInt64 = 1
    for _ in 1..<digits { scale *= 10 }
    while scale > 0 {
      line.append(UInt8(truncatingIfNeeded: number / scale % 10) + 0x30)
      scale /= 10
    }
  }

  private static func weekday(_ index: UInt64) -> StaticString {
    switch index {
    case 0: "Sun"
    case 1: "Mon"
    case 2: "Tue"
    case 3: "Wed"
    case 4: "Thu"
    case 5: "Fri"
    default: "Sat"
    }
  }

  private static func month(_ number: UInt64) -> StaticString {
    switch number {
    case 1: " Jan "
    case 2: " Feb "
    case 3: " Mar "
    case 4: " Apr "
    case 5: " May "
    case 6: " Jun "
    case 7: " Jul "
    case 8: " Aug "
    case 9: " Sep "
    case 10: " Oct "
    case 11: " Nov "
    default: " Dec "
    }
  }
}
