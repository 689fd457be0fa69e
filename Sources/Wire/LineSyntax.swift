import Base

extension LineParser {
  /// The command with this verb and the words behind it; nil for an unknown verb, 400 or 414 for wrong words.
  static func command(_ verb: ArraySlice<UInt8>, _ words: inout LineWords) throws(HTTPFault) -> LineCommand? {
    if StaticString("GET").equals(verb) {
      guard let key = words.next(), words.isAtEnd else { throw usage("it must be: GET KEY") }
      return .get(try KeyCoding.decode(key))
    }
    if StaticString("PUT").equals(verb) {
      guard let key = words.next(), let value = words.rest() else { throw usage("it must be: PUT KEY VALUE") }
      return .put(try KeyCoding.decode(key), value: value)
    }
    if StaticString("CAS").equals(verb) { return try compareAndSet(&words) }
    if StaticString("SWAP").equals(verb) { return try swap(&words) }
    if StaticString("DEL").equals(verb) { return try delete(&words) }
    if StaticString("ADD").equals(verb) {
      guard let key = words.next(), let number = words.next(), words.isAtEnd, let delta = Decimal.integer(number) else {
        throw usage("it must be: ADD KEY NUMBER")
      }
      return .add(try KeyCoding.decode(key), delta)
    }
    if StaticString("WAIT").equals(verb) { return try wait(&words) }
    if StaticString("PING").equals(verb) {
      guard words.isAtEnd else { throw usage("it must be: PING") }
      return .ping
    }
    if StaticString("QUIT").equals(verb) {
      guard words.isAtEnd else { throw usage("it must be: QUIT") }
      return .quit
    }
    if StaticString("AUTH").equals(verb) {
      guard let token = words.next(), words.isAtEnd else { throw usage("it must be: AUTH TOKEN") }
      return .authenticate(token: Array(token))
    }
    return nil
  }

  private static func usage(_ text: StaticString) -> HTTPFault { HTTPFault(400, text, close: false) }

  private static func compareAndSet(_ words: inout LineWords) throws(HTTPFault) -> LineCommand {
    let malformed = usage("it must be: CAS KEY REVISION VALUE, or - for the revision")
    guard let key = words.next(), let old = words.next(), let value = words.rest() else { throw malformed }
    let isAbsent = old.count == 1 && old.first == UInt8(ascii: "-")
    let revision = isAbsent ? nil : Decimal.unsigned(old)
    guard isAbsent || revision != nil else { throw malformed }
    return .compareAndSet(try KeyCoding.decode(key), revision: revision, value: value)
  }

  private static func swap(_ words: inout LineWords) throws(HTTPFault) -> LineCommand {
    let malformed = usage("it must be: SWAP KEY =OLD= NEW, the old value percent-encoded")
    guard let key = words.next(), let old = words.delimited(), let value = words.rest(),
      let expected = PercentCoding.decode(old)
    else { throw malformed }
    return .swap(try KeyCoding.decode(key), expected: expected, value: value)
  }

  private static func delete(_ words: inout LineWords) throws(HTTPFault) -> LineCommand {
    let malformed = usage("it must be: DEL KEY, or DEL KEY REVISION")
    guard let key = words.next() else { throw malformed }
    if words.isAtEnd { return .delete(try KeyCoding.decode(key), revision: nil) }
    guard let number = words.next(), words.isAtEnd, let revision = Decimal.unsigned(number) else { throw malformed }
    return .delete(try KeyCoding.decode(key), revision: revision)
  }

  private static func wait(_ words: inout LineWords) throws(HTTPFault) -> LineCommand {
    guard let key = words.next(), let known = words.next(), let time = words.next(), words.isAtEnd,
      let revision = Decimal.unsigned(known), let seconds = Decimal.unsigned(time)
    else { throw usage("it must be: WAIT KEY REVISION SECONDS") }
    guard seconds <= 60 else { throw usage("at most 60 seconds may be waited") }
    return .wait(try KeyCoding.decode(key), revision: revision, Milliseconds(seconds * 1000))
  }
}
